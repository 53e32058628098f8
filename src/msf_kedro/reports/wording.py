"""The tables' numbers, titles, headings and captions."""

from typing import NamedTuple

from msf_kedro.zero_shot.inference import in_tables, out_of_tables

TITLE = "Results of the benchmarks"
NOTE = (
    "Quote protocol strict. Protocol paper selects on test and is given only for comparison with"
    " published figures. All figures but times and p are percent."
)
SYNTHETIC = ("sample", "test")  # studies of generated clips
# Study and split → heading. Such a study's own tables, too, have each split apart.
SPLITS = {
    ("ntu60", "55-5"): "NTU-60 55/5",
    ("ntu60", "48-12"): "NTU-60 48/12",
    ("ntu120", "110-10"): "NTU-120 110/10",
    ("ntu120", "96-24"): "NTU-120 96/24",
}
NTU = tuple(dict.fromkeys(study for study, _ in SPLITS))
METHODS = {
    "revise": "ReViSE",
    "jpose": "JPoSE",
    "cada_vae": "CADA-VAE",
    "synse": "SynSE",
    "ridge": "ridge regression",
    "msf_plus": "MSF+",
    "msf": "MSF",
}


def method_name(method: str) -> str:
    """A method as it is called: `msf, transductive` is MSF, transductive."""
    name, inference = out_of_tables(method)
    return in_tables(METHODS.get(name, name), inference)


TEXTS = ("LB", "AD", "MD", "AD+MD", "LB+AD+MD")
GATES = ("threshold", "logistic", "evidence", "conformal")
FIGURES = {
    "zssar_accuracy": "ZSSAR",
    "seen_classifier_accuracy": "seen classifier",
    "acc_seen": "Acc_s",
    "acc_unseen": "Acc_u",
    "harmonic_mean": "H",
    "harmonic_mean_perfect_gate": "H, perfect gate",
    "gate_accuracy": "gate accuracy",
    "ausuc": "AUSUC",
    "zssar_accuracy_per_class": "ZSSAR",
    "acc_seen_per_class": "Acc_s",
    "acc_unseen_per_class": "Acc_u",
    "harmonic_mean_per_class": "H",
    "class_alone": "alone",
    "class_with_gate": "with gate",
    "fit_seconds": "seconds",
}

# --- the paper's tables ---


class PaperTable(NamedTuple):
    """One of the paper's tables. Its rows are those that name its number in the published figures;
    `encoder` is that of the runs beside them, "" where rows differ in it."""

    title: str
    figures: tuple[str, ...]
    encoder: str
    caption: str


PAPER, PROJECT = "The paper's tables", "project"
ZSSAR, GZSSAR = ("zssar_accuracy",), ("acc_seen", "acc_unseen", "harmonic_mean")
OF_ZSSAR = "Unseen test clips among the unseen classes: percent that are right."
OF_GZSSAR = (
    "Test clips among all classes, percent: accuracy on seen clips (Acc_s) and on unseen clips"
    " (Acc_u), H their harmonic mean."
)
VIT_B_32 = " Texts embedded by ViT-B-32"
BASELINES = f"{VIT_B_32}, but for the baselines' published figures by stsb-bert-large."
PAPER_TABLES = {
    2: PaperTable("ZSSAR accuracy", ZSSAR, "ViT-B-32", OF_ZSSAR + BASELINES),
    3: PaperTable("GZSSAR", GZSSAR, "ViT-B-32", OF_GZSSAR + BASELINES),
    4: PaperTable("ZSSAR accuracy by encoder", ZSSAR, "", OF_ZSSAR),
    5: PaperTable("GZSSAR by encoder", GZSSAR, "", OF_GZSSAR),
    6: PaperTable("ZSSAR accuracy by texts", ZSSAR, "ViT-B-32", f"{OF_ZSSAR}{VIT_B_32}."),
    7: PaperTable("GZSSAR by texts", GZSSAR, "ViT-B-32", f"{OF_GZSSAR}{VIT_B_32}."),
}
PUBLISHED = (
    "Published figures come from their authors' texts and features. MSF's were selected on test,"
    " and so are the project's here: protocol paper takes the candidate that is best on the unseen"
    " test clips, as the released code does; its gate is logistic. Empty: not published, or not"
    " run."
)

# --- the tables of a study, in this order ---

TITLES = {
    "results": "Results",
    "intervals": "Confidence intervals",
    "tests": "Paired comparisons",
    "over_classes": "Accuracy averaged over classes",
    "classes": "Accuracy of every class",
    "time": "Training time",
}
BEST = " Bold: the best mean of each column, ties as printed."
DEVIATION = " Mean ± standard deviation over {over}." + BEST
DRAWS = (
    " {level:g}% intervals from {resamples} draws of test clips (seen and unseen apart, the same"
    " for all rows) and of seeds; the choice of classes is not covered."
)
CAPTIONS = {
    "results": "Percent. ZSSAR: unseen test clips among the unseen classes; seen classifier: seen"
    " test clips among the seen classes. Test clips among all classes: accuracy on seen clips"
    " (Acc_s) and on unseen clips (Acc_u), H their harmonic mean; H if the gate were always right;"
    f" how often it is right; AUSUC, the area under the seen-unseen curve.{DEVIATION}",
    "intervals": f"Percent, mean [interval].{DRAWS}{BEST}",
    "tests": f"First minus second, percentage points [interval].{DRAWS} Bold: the interval leaves"
    " out 0. p: two-sided, from the same draws, at least {least:.2g}, not corrected for the {pairs}"
    " pairs. {flips}",
    "over_classes": f"Percent, averaged over classes instead of clips.{DEVIATION}",
    "classes": "Percent of each class's test clips that are right: alone, by the classifier of its"
    " side among that side's classes, and with the gate among all. Methods run with LB+AD+MD are"
    " shown with these only. Mean over {over}.",
    "time": f"Seconds to fit a run (fit_seconds of the benchmark), features given.{DEVIATION}",
}
FLIPS = (
    "Over splits: {level:.0f}% t-interval of the split means, which covers the choice of classes as"
    " far as so few splits can; p, splits: sign-flip test over them, never below {smallest:.4g}."
)
ONE_SPLIT = "A sign-flip test over split means needs several splits."
OVER = {"splits": "the means of splits", "seeds": "seeds"}
STUDY = "Study {study}: {splits}, {seeds}, texts embedded by {encoders}, chance of ZSSAR {chance}."
GENERATED = " Synthetic: a program draws its clips; no evidence about real recordings."
FEWER = "Fewer runs than the others have, and never bold: {names}."
PROTOCOLS = {
    "strict": "Protocol strict: nothing is chosen with test labels or test subjects.",
    "paper": "Protocol paper, selected on test: each run's candidate is the best one on the unseen"
    " test clips, as in the released code; only to be set beside published figures.",
}
SELECTED = {"paper": " (selected on test)"}  # behind the protocol in titles

MEAN, SPREAD = "{mean:.1f}", "{mean:.1f} ± {std:.1f}"
FORMATS = {
    "intervals": "{mean:.1f} [{low:.1f}, {high:.1f}]",
    "tests": "{mean:+.1f} [{low:+.1f}, {high:+.1f}]",
    "classes": MEAN,
}
TESTED = ("zssar_accuracy", "harmonic_mean")
OVER_SPLITS = "[{low_splits:+.1f}, {high_splits:+.1f}]"
PS = {"p": "p_bootstrap", "p, splits": "p_splits"}
