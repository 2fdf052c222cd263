"""The tables of the benchmark, and where they are written."""

from pathlib import Path

from bench.measure import Cell, Figures, median
from bench.operations import OPERATIONS, Operation
from bench.report import Calibration, Conditions, Growth, Report, text, write

READ, *_ = OPERATIONS
CREATE = next(each for each in OPERATIONS if each.name == "create")


def figures(rate: float, errors: int = 0) -> Figures:
    return Figures(rate, 2.0, 9.0, 150.0, 80.0, errors, 0.25)


def cell(operation: Operation, server: float, connections: int = 32) -> Cell:
    return Cell(operation, connections, figures(server, errors=1), figures(4000))


def report(*cells: Cell) -> Report:
    conditions = Conditions("6.0.5", "cache 1 GB", 100_000, 3, 3, 0.1)
    growth = Growth(READ, (1.0, 1.1, 1.2), (0.8, 0.8, 0.9))
    pairs = [(cells[0], cell(cells[0].operation, 6000))]
    calibration = [Calibration("get", figures(40_000))]
    sizes = (10_000, 100_000, 300_000)
    return Report(conditions, calibration, cells, [growth], sizes, pairs)


def test_a_row_has_both_sides_and_their_ratio() -> None:
    row = "| read | 32 | 3,000 | 4,000 | 0.75 | 2.0 | 9.0 | 2.0 | 150 | 150 | 80 | 80 | 1 |"
    assert row in text(report(cell(READ, 3000)))


def test_a_target_is_reached_at_its_value_and_not_below() -> None:
    found = text(report(cell(READ, 3000), cell(CREATE, 1599)))
    assert "| read | 0.75 | 0.75 | 1.00 | yes | 4,372 | 3,000 |" in found
    assert "| create | 0.40 | 0.40 | 1.00 | no | 527 | 1,599 |" in found


def test_targets_hold_for_the_most_connections() -> None:
    found = text(report(cell(READ, 100, connections=1), cell(READ, 3000)))
    assert found.count("| read | 0.75 |") == 1


def test_growth_is_from_the_least_size_to_the_greatest() -> None:
    assert "| read | 1.00 | 1.10 | 1.20 | 1.20 | 0.80 | 0.90 |" in text(
        report(cell(READ, 3000))
    )


def test_two_workers_stand_beside_one() -> None:
    assert "| read | 3,000 | 6,000 | 2.00 | 4,000 |" in text(report(cell(READ, 3000)))


def test_the_median_adds_errors_up() -> None:
    found = median([figures(1, 1), figures(5, 2), figures(3, 0)])
    assert (found.rate, found.errors) == (3, 3)


def test_what_is_written_by_hand_stays(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    write("first", page)
    page.write_text("By hand.\n\n" + page.read_text())
    write("second", page)
    written = page.read_text()
    assert written.startswith("By hand.")
    assert written.endswith("second")
    assert "first" not in written
