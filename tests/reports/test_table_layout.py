"""Which tables there are, what stands in their rows and columns, and what their captions say."""

from functools import cache

import pandas as pd
import pytest
import yaml
from support.made_up import benchmark, better_with_more_texts, outcomes
from support.sessions import ROOT

from msf_kedro.reports.comparisons import TablesConfig, published_table
from msf_kedro.reports.paper_tables import collect
from msf_kedro.reports.table_layout import NOTHING, Column, Table, TableCell, lay_out

CONFIG = TablesConfig(resamples=50, level=0.9, seed=0)
NTU_60 = ("ntu60_55_5", "ntu60_48_12")


@cache
def collected(study: str, **sizes) -> pd.DataFrame:
    table = outcomes(better_with_more_texts, **sizes)
    file = ROOT / "conf" / study / "parameters.yml"
    parameters = yaml.safe_load(file.read_text()) if file.exists() else {}
    published = published_table(parameters.get("published", {}))
    return collect(study, benchmark(table), table, published, CONFIG)


def tables(*longs: pd.DataFrame) -> list[Table]:
    return lay_out(pd.concat(longs, ignore_index=True))


def titled(found: list[Table], *words: str) -> Table:
    (table,) = [table for table in found if all(word in table.title for word in words)]
    return table


def row(table: Table, *labels: str) -> dict[Column, TableCell]:
    (cells,) = [cells for names, cells in table.rows if names == labels]
    return dict(zip(table.columns, cells, strict=True))


@pytest.fixture(scope="module")
def ntu() -> list[Table]:
    encoders = {"encoders": ("ViT-B-32", "ViT-B-16")}
    longs = [collected(study, seeds=2, clips=(20, 20), **encoders) for study in NTU_60]
    return tables(collected("utd_mhad", splits=2), *longs)


def test_the_papers_tables_have_its_numbers(ntu):
    numbered = {t.title.split(",")[0] for t in ntu if t.title.startswith("Table ")}
    assert numbered == {
        "Table 2: ZSSAR accuracy",
        "Table 4: ZSSAR accuracy by texts",
        "Table 6: GZSSAR",
    }
    longs = [collected(study) for study in ("ntu120_110_10", "ntu120_96_24")]
    numbered = {t.title.split(":")[0] for t in tables(*longs) if t.title.startswith("Table ")}
    assert numbered == {"Table 3", "Table 5", "Table 7"}


def test_sections_are_data_sets_ntu_first_and_generated_clips_last():
    names = ["test", "utd_mhad", "sample", "ntu120_96_24", "ntu60_48_12", "mine"]
    some = (("msf", "LB"), ("ridge", "LB"))
    found = tables(*(collected(study, cells=some) for study in names))
    sections = list(dict.fromkeys(table.section for table in found))
    assert sections == ["NTU-60", "NTU-120", "mine", "utd_mhad", "sample", "test"]


def test_every_protocol_and_gate_has_its_table_strict_first():
    found = [t for t in tables(collected("mine")) if t.kind == "gzssar"]
    assert [t.title for t in found] == [
        "GZSSAR, mine, protocol strict, gate threshold",
        "GZSSAR, mine, protocol strict, gate logistic",
        "GZSSAR, mine, protocol paper (selected on test), gate threshold",
        "GZSSAR, mine, protocol paper (selected on test), gate logistic",
    ]
    for table in found:
        selected = "selected on test" in table.caption
        assert selected == (table.protocol == "paper")
        assert ("nothing is chosen with test labels" in table.caption) == (not selected)


def test_ntu_studies_stand_side_by_side_with_the_published_figures(ntu):
    table = titled(ntu, "Table 2", "strict")
    assert table.labels == ("method", "texts", "encoder")
    assert table.columns == tuple(
        Column(split, name)
        for split in ("55/5", "48/12")
        for name in ("ZSSAR", "paper", "released log")
    )
    cells = row(table, "MSF", "LB+AD+MD", "ViT-B-32")
    assert cells[Column("55/5", "paper")] == TableCell("83.63")
    assert cells[Column("48/12", "released log")] == TableCell("45.78")
    mean = collected("ntu60_55_5", seeds=2, clips=(20, 20), encoders=("ViT-B-32", "ViT-B-16"))
    mean = mean[(mean.table == "zssar") & (mean.protocol == "strict") & (mean.method == "msf")]
    mean = mean[(mean.texts == "LB+AD+MD") & (mean.encoder == "ViT-B-32")].iloc[0]
    assert cells[Column("55/5", "ZSSAR")].text == f"{mean['mean']:.1f} ± {mean['std']:.1f}"
    assert row(table, "MSF", "LB", "ViT-B-16")[Column("55/5", "paper")] == NOTHING
    alone = row(table, "CADA-VAE", "LB", "stsb-bert-large")
    assert alone[Column("55/5", "ZSSAR")] == NOTHING
    assert alone[Column("55/5", "paper")] == TableCell("76.84")


def test_rows_are_in_the_papers_order(ntu):
    labels = [names for names, _ in titled(ntu, "Table 2", "strict").rows]
    methods = list(dict.fromkeys(name for name, *_ in labels))
    assert methods == ["ReViSE", "JPoSE", "CADA-VAE", "SynSE", "ridge regression", "MSF"]
    texts = list(dict.fromkeys(texts for name, texts, _ in labels if name == "MSF"))
    assert texts == ["LB", "AD", "MD", "AD+MD", "LB+AD+MD"]


def test_the_ablation_has_a_column_for_each_encoder(ntu):
    table = titled(ntu, "Table 4", "strict")
    assert table.labels == ("method", "texts")
    assert len(table.rows) == 2 * 5
    groups = list(dict.fromkeys(column.group for column in table.columns))
    assert groups == [f"{split}, ViT-B-{size}" for split in ("55/5", "48/12") for size in (16, 32)]
    cells = row(table, "MSF", "MD")
    assert cells[Column("55/5, ViT-B-16", "released log")] == TableCell("82.30")
    assert Column("55/5, ViT-B-16", "paper") not in cells, "the paper has published none"
    assert cells[Column("55/5, ViT-B-32", "paper")] == TableCell("83.26")


def test_gzssar_has_the_issues_figures_and_the_published_ones(ntu):
    table = titled(ntu, "Table 6", "55/5", "strict", "threshold")
    own = ["Acc_s", "Acc_u", "H", "H, perfect gate", "gate accuracy", "AUSUC"]
    assert [column.name for column in table.columns if not column.group] == own
    cells = row(table, "MSF", "LB", "ViT-B-32")
    published = [cells[Column("paper", name)].text for name in own[:3]]
    assert published == ["69.41", "57.15", "62.69"]
    assert "logistic" in table.caption
    plain = titled(ntu, "GZSSAR", "utd_mhad", "strict", "threshold")
    assert plain.columns == tuple(Column("", name) for name in own)
    assert "published" not in plain.caption.lower()


def test_a_study_of_its_own_needs_no_headings_of_itself(ntu):
    table = titled(ntu, "ZSSAR accuracy,", "utd_mhad", "strict")
    assert table.labels == ("method", "texts")
    assert table.columns == (Column("", "ZSSAR"),)
    table = titled(ntu, "by texts", "utd_mhad", "strict")
    assert table.columns == (Column("MiniLM", "ZSSAR"),)


def test_captions_say_what_stands_behind_the_figures(ntu):
    caption = titled(ntu, "ZSSAR accuracy,", "utd_mhad", "strict").caption
    assert "Study utd_mhad: 2 splits, 3 seeds" in caption
    assert "MiniLM" in caption
    assert "chance of ZSSAR 20.0" in caption
    assert "over the means of splits" in caption
    caption = titled(ntu, "Table 2", "strict").caption
    assert "Study ntu60_55_5: 1 split, 2 seeds, texts embedded by ViT-B-16, ViT-B-32" in caption
    assert "deviation over seeds" in caption
    assert "stsb" not in caption, "no run used it"


def test_generated_clips_are_called_so_in_every_caption():
    for study in ("sample", "test"):
        for table in tables(collected(study)):
            assert "no evidence about real recordings" in table.caption
    assert not any("no evidence" in t.caption for t in tables(collected("utd_mhad", splits=2)))


def test_comparisons_say_how_sure_they_are(ntu):
    table = titled(ntu, "Paired", "utd_mhad", "strict", "threshold")
    assert table.labels == ("first", "second")
    assert len(table.rows) == 16
    cells = row(table, "MSF LB+AD+MD", "ReViSE LB")
    assert cells[Column("ZSSAR", "difference")].bold
    assert cells[Column("ZSSAR", "difference")].text[0] == "+"
    assert cells[Column("ZSSAR", "p, splits")].text == "0.5"
    for words in ("90% intervals from 50 draws", "choice of classes is not covered", "16 pairs"):
        assert words in table.caption
    assert "never below 0.5" in table.caption
    single = titled(ntu, "Paired", "55/5", "strict", "threshold")
    assert single.labels == ("first", "second", "encoder")
    assert len(single.rows) == 2 * 16
    assert "needs several splits" in single.caption
    assert "2 of" not in single.caption
    assert row(single, "MSF MD", "MSF LB", "ViT-B-32")[Column("H", "p, splits")] == NOTHING


def test_intervals_are_of_zssar_and_gzssar(ntu):
    table = titled(ntu, "Confidence", "utd_mhad", "paper", "logistic")
    assert [column.name for column in table.columns] == ["ZSSAR", "Acc_s", "Acc_u", "H"]
    assert all(" [" in cell.text for _, cells in table.rows for cell in cells)
    assert [sum(cells[i].bold for _, cells in table.rows) >= 1 for i in range(4)] == [True] * 4


def test_accuracy_per_class_and_time_have_their_tables(ntu):
    table = titled(ntu, "Accuracy per class", "utd_mhad", "strict", "threshold")
    assert [column.name for column in table.columns] == ["ZSSAR", "Acc_s", "Acc_u", "H"]
    table = titled(ntu, "Training time", "utd_mhad")
    assert table.protocol == ""
    assert row(table, "MSF", "LB")[Column("", "seconds")].text == "5.0 ± 0.0"


def test_one_run_has_no_deviation():
    (table, _) = [t for t in tables(collected("mine", seeds=1)) if t.kind == "zssar"]
    assert not any("±" in cell.text for _, cells in table.rows for cell in cells)


def test_rows_with_fewer_runs_are_named():
    table = outcomes(better_with_more_texts, splits=2)
    table = table[(table.method != "synse") | (table.split == "split_1")]
    long = collect("mine", benchmark(table), table, published_table({}), CONFIG)
    captions = [
        t.caption for t in tables(long) if t.kind in ("zssar", "gzssar", "time", "intervals")
    ]
    assert len(captions) == 2 + 4 + 1 + 4
    assert all("never bold: SynSE verb+noun MiniLM (3)." in caption for caption in captions)
    assert not any("Fewer runs" in t.caption for t in tables(collected("mine")))


def test_unknown_methods_and_texts_come_last():
    cells = [("mine", "LB"), ("msf", "MD+LB"), ("msf", "LB")]
    found = tables(collected("own", cells=tuple(cells)))
    assert [names for names, _ in found[0].rows] == [
        ("MSF", "LB"), ("MSF", "MD+LB"), ("mine", "LB")
    ]  # fmt: skip
