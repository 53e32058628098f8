"""The tables' numbers, titles, headings and captions."""

from typing import NamedTuple

TITLE = "Results of the benchmarks"
NOTE = (
    "Quote protocol strict. Protocol paper selects on test and is given only for comparison with"
    " published figures. All figures but times and p are percent."
)
PAPER = "The paper's tables"
# Study and split → heading. The studies' own tables, too, have each split apart.
SPLITS = {
    ("ntu60", "55-5"): "NTU-60 55/5",
    ("ntu60", "48-12"): "NTU-60 48/12",
    ("ntu120", "110-10"): "NTU-120 110/10",
    ("ntu120", "96-24"): "NTU-120 96/24",
}
SYNTHETIC = ("sample", "test")  # studies of generated clips
PROJECT = "project"  # the source of what was measured here, beside `published.SOURCES`


class PaperTable(NamedTuple):
    """One of the paper's tables; its rows are those that name its number in the published figures.

    Attributes:
        encoder: of the runs beside the published figures; "": the row's own, which is shown.
        labels: columns that name a row; where `source` is none of them, it heads columns.
    """

    title: str
    figures: tuple[str, ...]
    encoder: str
    labels: tuple[str, ...]
    caption: str


ZSSAR, GZSSAR = ("zssar_accuracy",), ("acc_seen", "acc_unseen", "harmonic_mean")
BY_ROW = ("method", "texts", "source")
OF_ZSSAR = "Unseen test clips among the unseen classes: percent that are right."
OF_GZSSAR = (
    "Test clips among all classes, percent: accuracy on seen clips (Acc_s) and on unseen clips"
    " (Acc_u), H their harmonic mean."
)
BASELINES = (
    "All runs here embed texts with ViT-B-32; the baselines' published figures are of"
    " stsb-bert-large."
)
CLIP = "Texts embedded by ViT-B-32."
PAPER_TABLES = {
    2: PaperTable(
        "ZSSAR accuracy", ZSSAR, "ViT-B-32", ("method", "texts"), f"{OF_ZSSAR} {BASELINES}"
    ),
    3: PaperTable("GZSSAR", GZSSAR, "ViT-B-32", BY_ROW, f"{OF_GZSSAR} {BASELINES}"),
    4: PaperTable(
        "ZSSAR accuracy by text encoder", ZSSAR, "", ("method", "texts", "encoder"), OF_ZSSAR
    ),
    5: PaperTable(
        "GZSSAR by text encoder", GZSSAR, "", (*BY_ROW[:2], "encoder", "source"), OF_GZSSAR
    ),
    6: PaperTable(
        "ZSSAR accuracy by texts", ZSSAR, "ViT-B-32", ("method", "texts"), f"{OF_ZSSAR} {CLIP}"
    ),
    7: PaperTable("GZSSAR by texts", GZSSAR, "ViT-B-32", BY_ROW, f"{OF_GZSSAR} {CLIP}"),
}
PUBLISHED = (
    "Published figures come from their authors' texts and features; MSF's were selected on test,"
    " and so are the project's here: protocol paper, which takes the candidate that is best on the"
    " unseen test clips, as the released code does; its gate is logistic. Mean ± standard deviation"
    " over seeds. Empty: not published, or not run."
)

# The tables of a study, in this order.
TITLES = {
    "results": "Results",
    "intervals": "Confidence intervals",
    "tests": "Paired comparisons",
    "over_classes": "Accuracy averaged over classes",
    "classes": "Accuracy of every class",
    "time": "Training time",
}
MEANINGS = {
    "results": "Percent. ZSSAR: unseen test clips among the unseen classes; seen classifier: seen"
    " test clips among the seen classes, without a gate. Test clips among all classes: accuracy on"
    " seen clips (Acc_s) and on unseen clips (Acc_u), H their harmonic mean; H if the gate were"
    " always right; how often it is right; AUSUC, the area under the seen-unseen curve over all"
    " thresholds.",
    "intervals": "Percent, mean [interval].",
    "tests": "First minus second, percentage points [interval].",
    "over_classes": "Percent, averaged over classes instead of clips.",
    "classes": "Percent of each class's test clips that are right: alone, by the classifier of its"
    " side among that side's classes, and with the gate among all. Of methods that take any texts,"
    " those with all.",
    "time": "Seconds to fit a run (fit_seconds of the benchmark), features given.",
}
TESTED = ("zssar_accuracy", "harmonic_mean")  # of the paired comparisons
OVER = {"splits": "the means of splits", "seeds": "seeds"}
SPREAD = "Mean ± standard deviation over {over}."
MEAN = "Mean over {over}."
BEST = "Bold: the best mean of each column, ties as printed."
DRAWS = (
    "{level:g}% intervals from {resamples} draws of test clips (seen and unseen apart, the same for"
    " all rows) and of seeds; the choice of classes is not covered."
)
DIFFERENCES = (
    "Bold: the interval leaves out 0. p: two-sided, from the same draws, at least {smallest:.2g},"
    " not corrected for the {pairs} pairs."
)
SIGN_FLIPS = (
    "p, splits: sign-flip test over split means, never below {smallest:.4g} with so few splits."
)
ONE_SPLIT = "A sign-flip test over split means needs several splits."
STUDY = "Study {study}: {splits}, {seeds}, texts embedded by {encoders}, chance of ZSSAR {chance}."
GENERATED = "Synthetic: a program draws its clips; no evidence about real recordings."
FEWER = "Fewer runs than the others have, and never bold: {names}."
PROTOCOLS = {
    "strict": "Protocol strict: nothing is chosen with test labels or test subjects.",
    "paper": "Protocol paper, selected on test: each run's candidate is the best one on the unseen"
    " test clips, as in the released code; only to be set beside published figures.",
}
SELECTED = "protocol paper (selected on test)"

METHODS = {
    "revise": "ReViSE",
    "jpose": "JPoSE",
    "cada_vae": "CADA-VAE",
    "synse": "SynSE",
    "ridge": "ridge regression",
    "msf": "MSF",
}
TEXTS = ("LB", "AD", "MD", "AD+MD", "LB+AD+MD")
GATES = ("threshold", "logistic")
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
