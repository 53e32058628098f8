"""Which tables there are, what stands in their rows and columns, and what their captions say."""

import re
from functools import cache

import pandas as pd
import pytest
from support.made_up import ALL, benchmark, better_with_more_texts, outcomes
from support.sessions import ROOT

from msf_kedro.reports.comparisons import TablesConfig
from msf_kedro.reports.figures import collect
from msf_kedro.reports.tables import Table, lay_out

CONFIG = TablesConfig(resamples=50, level=0.9, seed=0)
PUBLISHED = pd.read_csv(
    ROOT / "data" / "01_raw" / "published_figures.csv", dtype={"table": str, "split": str}
)
SPLITS = {
    "ntu60": {"55-5": "NTU-60 55/5", "48-12": "NTU-60 48/12"},
    "ntu120": {"110-10": "NTU-120 110/10", "96-24": "NTU-120 96/24"},
}
BLOCKS = [heading for splits in SPLITS.values() for heading in splits.values()]
PAPER = {
    "Table 2: ZSSAR accuracy",
    "Table 3: GZSSAR",
    "Table 4: ZSSAR accuracy by encoder",
    "Table 5: GZSSAR by encoder",
    "Table 6: ZSSAR accuracy by texts",
    "Table 7: GZSSAR by texts",
}
GZSSAR = ["Acc_s", "Acc_u", "H"]
RESULTS = ["ZSSAR", "seen classifier", *GZSSAR, "H, perfect gate", "gate accuracy", "AUSUC"]


@cache
def collected(study: str, **sizes) -> pd.DataFrame:
    """A made-up study, NTU's with both its splits."""
    by_split = study in SPLITS
    splits = {"splits": list(SPLITS[study])} if by_split else {}
    table = outcomes(better_with_more_texts, **splits | sizes)
    return collect(study, benchmark(table), table, CONFIG, by_split)


def tables(*longs: pd.DataFrame) -> list[Table]:
    return lay_out(pd.concat(longs, ignore_index=True), PUBLISHED)


def titled(found: list[Table], *words: str) -> Table:
    (table,) = [table for table in found if all(word in table.title for word in words)]
    return table


def own(found: list[Table], title: str) -> list[Table]:
    return [table for table in found if table.title.startswith(title)]


@pytest.fixture(scope="module")
def ntu() -> list[Table]:
    """UTD-MHAD and NTU-60 are benchmarked, NTU-120 is not."""
    sizes = {"seeds": 2, "clips": (20, 20), "encoders": ("ViT-B-32", "ViT-B-16")}
    return tables(collected("utd_mhad", splits=2), collected("ntu60", **sizes))


# --- the paper's ---


def test_the_papers_six_tables_are_always_there_and_first(ntu):
    assert {table.title for table in ntu[:6]} == PAPER
    assert {table.section for table in ntu[:6]} == {"The paper's tables"}
    for found in (ntu, tables(collected("mine"))):
        assert [t.title for t in found if re.match("Table [0-9]", t.title)] == sorted(PAPER)
        assert all(list(dict.fromkeys(g for g, _ in t.frame)) == BLOCKS for t in found[:6])


def test_their_rows_are_the_papers(ntu):
    methods = [("ReViSE", "LB"), ("JPoSE", "verb+noun"), ("CADA-VAE", "LB"), ("SynSE", "verb+noun")]
    main = [*methods, *(("MSF", texts) for texts in ("LB", "AD", "MD", "LB+AD+MD"))]
    by_encoder = [("MSF", "LB+AD+MD", "ViT-B-16"), ("MSF", "LB+AD+MD", "ViT-B-32")]
    by_texts = [("MSF", texts) for texts in ("LB", "AD", "MD", "AD+MD", "LB+AD+MD")]
    for number, expected in ((2, main), (4, by_encoder), (6, by_texts)):
        zssar = titled(ntu, f"Table {number}:").frame
        assert zssar.index.tolist() == expected
        sources = ["paper", "released log", "project"]
        assert zssar.columns.tolist() == [(block, one) for block in BLOCKS for one in sources]
        gzssar = titled(ntu, f"Table {number + 1}:").frame
        assert gzssar.columns.tolist() == [(block, one) for block in BLOCKS for one in GZSSAR]
        logged = [cell for cell in expected if cell[0] == "MSF"]
        assert gzssar.index.tolist() == [
            (*cell, source)
            for cell in expected
            for source in sources
            if source != "released log" or cell in logged
        ]


def test_the_projects_figures_stand_beside_the_published_ones(ntu):
    long = collected("ntu60", seeds=2, clips=(20, 20), encoders=("ViT-B-32", "ViT-B-16"))
    chosen = (long.table == "results") & (long.protocol == "paper") & (long.gate == "logistic")

    def measured(split, method, texts, encoder, figure) -> str:
        names = ["split", "method", "texts", "encoder", "figure"]
        mine = long[chosen].set_index(names).loc[(split, method, texts, encoder, figure)]
        return f"{mine['mean']:.1f} ± {mine['std']:.1f}"

    cell = "MSF", "LB+AD+MD"
    zssar = titled(ntu, "Table 2").frame
    shown = zssar.loc[cell, "NTU-60 55/5"].tolist()
    run = "msf", "LB+AD+MD", "ViT-B-32"
    assert shown == ["83.63", "83.55", measured("55-5", *run, "zssar_accuracy")]
    shown = zssar.loc[("SynSE", "verb+noun"), "NTU-60 48/12"].tolist()
    synse = "synse", "verb+noun", "ViT-B-32"
    assert shown == ["33.30", "", measured("48-12", *synse, "zssar_accuracy")], "another encoder"
    gzssar = titled(ntu, "Table 3").frame
    shown = gzssar.loc[(*cell, "released log"), "NTU-60 48/12"].tolist()
    assert shown == ["53.04", "40.43", "45.88"]
    shown = gzssar.loc[(*cell, "project"), "NTU-60 48/12"].tolist()
    figures = "acc_seen", "acc_unseen", "harmonic_mean"
    assert shown == [measured("48-12", *run, one) for one in figures]
    by_encoder = titled(ntu, "Table 4").frame.loc[(*cell, "ViT-B-16"), "NTU-60 48/12"]
    other = "msf", "LB+AD+MD", "ViT-B-16"
    assert by_encoder.tolist() == ["43.98", "44.92", measured("48-12", *other, "zssar_accuracy")]
    gzssar = titled(ntu, "Table 5").frame
    assert gzssar.loc[(*cell, "ViT-B-16", "paper"), "NTU-60 55/5"].eq("").all(), "not legible"
    shown = gzssar.loc[(*cell, "ViT-B-16", "project"), "NTU-60 55/5"].tolist()
    assert shown == [measured("55-5", *other, one) for one in figures]


def test_what_has_not_been_run_is_empty(ntu):
    for table in ntu[:6]:
        project = "project"
        of_60, of_120 = (
            table.frame[[c for c in table.frame if c[0].startswith(name)]]
            for name in ("NTU-60", "NTU-120")
        )
        if "source" in table.frame.index.names:
            of_60, of_120 = (f.xs(project, level="source") for f in (of_60, of_120))
        else:
            of_60, of_120 = (f.xs(project, axis=1, level=1) for f in (of_60, of_120))
        assert of_120.eq("").all(axis=None)
        assert of_60.ne("").all(axis=None)
    for table in tables(collected("mine"))[:6]:
        assert not table.frame.map(lambda text: "±" in text).any(axis=None)
        assert "released log" in {
            *table.frame.columns.get_level_values(1),
            *sum(table.frame.index, ()),
        }


def test_texts_of_other_spelling_are_the_same_texts():
    some = (("synse", "noun+verb"), ("msf", "MD+AD+LB"))
    found = tables(collected("ntu60", cells=some, encoders=("ViT-B-32",)))
    frame = titled(found, "Table 2").frame.xs("project", axis=1, level=1)["NTU-60 55/5"]
    assert frame[frame != ""].index.tolist() == [("SynSE", "verb+noun"), ("MSF", "LB+AD+MD")]


def test_their_captions_say_that_both_select_on_test(ntu):
    for table in ntu[:6]:
        for words in ("selected on test", "protocol paper", "logistic", "Empty: not published"):
            assert words in table.caption
        assert "Study ntu60: 2 splits, 2 seeds, texts embedded by ViT-B-16" in table.caption
        assert "chance of ZSSAR 20.0 (NTU-60 55/5), 20.0 (NTU-60 48/12)." in table.caption
        assert "ntu120" not in table.caption
    for number in (2, 3):
        assert "stsb-bert-large" in titled(ntu, f"Table {number}:").caption


# --- the studies' own ---


def test_sections_are_studies_ntu_first_and_generated_clips_last():
    some = (("msf", "LB"), ("ridge", "LB"))
    names = ["test", "utd_mhad", "sample", "ntu120", "ntu60", "mine"]
    found = tables(*(collected(study, cells=some) for study in names))
    sections = list(dict.fromkeys(table.section for table in found))
    expected = ["ntu60", "ntu120", "mine", "utd_mhad", "sample", "test"]
    assert sections == ["The paper's tables", *expected]


def test_every_study_has_its_tables_strict_first():
    runs = [
        f"mine, protocol {protocol}, gate {gate}"
        for protocol in ("strict", "paper (selected on test)")
        for gate in ("threshold", "logistic")
    ]
    kinds = (
        *("Results", "Confidence intervals", "Paired comparisons"),
        *("Accuracy averaged over classes", "Accuracy of every class"),
    )
    found = tables(collected("mine"))[6:]
    expected = [f"{kind}, {run}" for kind in kinds for run in runs]
    assert [table.title for table in found] == [*expected, "Training time, mine"]
    for table in found[:-1]:
        selected = "paper" in table.title
        assert ("selected on test" in table.caption) == selected
        assert ("nothing is chosen with test labels" in table.caption) == (not selected)


def test_no_two_tables_are_the_same(ntu):
    titles = [table.title for table in ntu]
    assert len(set(titles)) == len(titles)
    for place, table in enumerate(ntu):
        assert not any(table.frame.equals(other.frame) for other in ntu[:place]), table.title


def test_results_have_all_figures_and_the_seen_classifiers_accuracy(ntu):
    table = titled(ntu, "Results", "utd_mhad", "strict", "threshold")
    assert table.frame.index.names == ["method", "texts"]
    assert table.frame.columns.tolist() == [("", name) for name in RESULTS]
    assert len(table.frame) == len(ALL)
    long = collected("utd_mhad", splits=2)
    mine = long[
        (long.table == "results") & (long.protocol == "strict") & (long.gate == "threshold")
    ]
    mine = mine[(mine.method == "synse") & (mine.figure == "seen_classifier_accuracy")].iloc[0]
    shown = table.frame.loc[("SynSE", "verb+noun"), ("", "seen classifier")]
    assert shown.strip("*") == f"{mine['mean']:.1f} ± {mine['std']:.1f}"
    for table in own(ntu, "Results"):
        assert "seen classifier" in table.frame.columns.get_level_values(1)


def test_ntus_splits_have_a_block_of_columns_each(ntu):
    for table in own(ntu, "Results, ntu60"):
        blocks = SPLITS["ntu60"].values()
        assert table.frame.columns.tolist() == [(b, name) for b in blocks for name in RESULTS]
        assert table.frame.index.names == ["method", "texts", "encoder"]
        assert len(table.frame) == 2 * len(ALL)
    time = titled(ntu, "Training time, ntu60").frame
    assert time.columns.tolist() == [(block, "seconds") for block in SPLITS["ntu60"].values()]


def test_a_split_that_is_not_the_papers_has_its_own_name():
    found = tables(collected("ntu60", splits=("48-12", "mine"), encoders=("ViT-B-32",)))
    table = titled(found, "Results", "strict", "threshold").frame
    assert list(dict.fromkeys(group for group, _ in table)) == ["NTU-60 48/12", "mine"]
    assert titled(found, "Table 2").frame["NTU-60 55/5"]["project"].eq("").all()


def test_rows_are_in_the_papers_order(ntu):
    labels = titled(ntu, "Results", "utd_mhad", "strict", "logistic").frame.index.tolist()
    methods = list(dict.fromkeys(name for name, _ in labels))
    assert methods == ["ReViSE", "JPoSE", "CADA-VAE", "SynSE", "ridge regression", "MSF"]
    texts = [texts for name, texts in labels if name == "MSF"]
    assert texts == ["LB", "AD", "MD", "AD+MD", "LB+AD+MD"]


def test_unknown_methods_and_texts_come_last():
    cells = (("mine", "LB"), ("msf", "LB+MD"), ("msf", "LB"))
    table = titled(tables(collected("own", cells=cells)), "Results", "strict", "threshold")
    assert table.frame.index.tolist() == [("MSF", "LB"), ("MSF", "LB+MD"), ("mine", "LB")]


def test_captions_say_what_stands_behind_the_figures(ntu):
    caption = titled(ntu, "Results", "utd_mhad", "strict", "threshold").caption
    assert "Study utd_mhad: 2 splits, 3 seeds, texts embedded by MiniLM" in caption
    assert "chance of ZSSAR 20.0." in caption
    assert "over the means of splits" in caption
    caption = titled(ntu, "Results", "ntu60", "strict", "threshold").caption
    assert "Study ntu60: 2 splits, 2 seeds, texts embedded by ViT-B-16, ViT-B-32" in caption
    assert "deviation over seeds" in caption


def test_generated_clips_are_called_so_in_every_caption():
    for study in ("sample", "test"):
        for table in tables(collected(study))[6:]:
            assert "no evidence about real recordings" in table.caption
    assert not any("no evidence" in t.caption for t in tables(collected("utd_mhad", splits=2)))


def test_comparisons_say_how_sure_they_are(ntu):
    table = titled(ntu, "Paired", "utd_mhad", "strict", "threshold")
    assert table.frame.index.names == ["first", "second"]
    assert len(table.frame) == 18
    names = ["difference", "over splits", "p", "p, splits"]
    expected = [(figure, name) for figure in ("ZSSAR", "H") for name in names]
    assert table.frame.columns.tolist() == expected
    cells = table.frame.loc[("MSF LB+AD+MD", "ReViSE LB"), "ZSSAR"]
    assert re.fullmatch(r"\*\*\+\d+\.\d \[\+\d+\.\d, \+\d+\.\d\]\*\*", cells["difference"])
    assert cells["p, splits"] == "0.5"
    assert re.fullmatch(r"\[[+-]\d+\.\d, \+\d+\.\d\]", cells["over splits"])
    for words in ("90% intervals from 50 draws", "choice of classes is not covered", "18 pairs"):
        assert words in table.caption
    assert "never below 0.5" in table.caption
    single = titled(ntu, "Paired", "ntu60", "strict", "threshold")
    assert single.frame.index.names == ["first", "second", "encoder"]
    assert len(single.frame) == 2 * 18
    assert "needs several splits" in single.caption
    assert not {"p, splits", "over splits"} & {*single.frame.columns.get_level_values(1)}
    assert ("MSF MD", "MSF LB", "ViT-B-32") in single.frame.index


def test_intervals_are_of_zssar_and_gzssar(ntu):
    frame = titled(ntu, "Confidence", "utd_mhad", "paper", "logistic").frame
    assert frame.columns.tolist() == [("", name) for name in ("ZSSAR", *GZSSAR)]
    assert frame.map(lambda text: " [" in text).all(axis=None)
    assert frame.map(lambda text: text.startswith("**")).any().all()


def test_accuracy_of_every_class_lists_classes(ntu):
    frame = titled(ntu, "every class", "utd_mhad", "strict", "threshold").frame
    assert frame.index.names == ["class_id", "label", "side"]
    sides = ["unseen"] * 5 + ["seen"] * 5
    assert frame.index.tolist() == [(n, f"act {n}", sides[n - 1]) for n in range(1, 11)]
    groups = [
        *("ReViSE LB", "JPoSE verb+noun", "CADA-VAE LB", "SynSE verb+noun"),
        *("ridge regression LB+AD+MD", "MSF LB+AD+MD"),
    ]
    expected = [(group, name) for group in groups for name in ("alone", "with gate")]
    assert frame.columns.tolist() == expected
    shown = frame.loc[(7, "act 7", "seen"), ("SynSE verb+noun", "with gate")]
    long = collected("utd_mhad", splits=2)
    mine = long[(long.table == "classes") & (long.protocol == "strict") & (long.method == "synse")]
    mine = mine[(mine.gate == "threshold") & (mine.class_id == 7)].set_index("figure")["mean"]
    assert shown == f"{mine['class_with_gate']:.1f}"
    of_60 = own(ntu, "Accuracy of every class, ntu60, protocol strict, gate threshold, ViT-B-")
    assert [table.title[-8:] for table in of_60] == ["ViT-B-16", "ViT-B-32"]
    for table in of_60:
        blocks = list(dict.fromkeys(group.rsplit(" ", 2)[0] for group, _ in table.frame))
        assert {block[:11] for block in blocks} == {"NTU-60 55/5", "NTU-60 48/1"}


def test_averages_over_classes_and_time_have_their_tables(ntu):
    frame = titled(ntu, "averaged over classes", "utd_mhad", "strict", "threshold").frame
    assert frame.columns.tolist() == [("", name) for name in ("ZSSAR", *GZSSAR)]
    table = titled(ntu, "Training time", "utd_mhad")
    assert "rotocol" not in table.title + table.caption
    assert table.frame.loc[("MSF", "LB"), ("", "seconds")].strip("*") == "5.0 ± 0.0"


def test_one_run_has_no_deviation():
    for table in own(tables(collected("mine", seeds=1)), "Results"):
        assert not table.frame.map(lambda text: "±" in text).any(axis=None)
        assert table.frame.ne("").all(axis=None)


def test_rows_with_fewer_runs_are_named():
    table = outcomes(better_with_more_texts, splits=2)
    table = table[(table.method != "synse") | (table.split == "split_1")]
    long = collect("mine", benchmark(table), table, CONFIG, by_split=False)
    kinds = ("Results", "Confidence", "Accuracy averaged", "Training")
    captions = [t.caption for t in tables(long) if t.title.startswith(kinds)]
    assert len(captions) == 4 + 4 + 4 + 1
    assert all("never bold: SynSE verb+noun MiniLM (3)." in caption for caption in captions)
    assert not any("Fewer runs" in t.caption for t in tables(collected("mine")))
