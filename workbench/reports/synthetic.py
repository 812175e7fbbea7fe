"""What `workbench synth` shows: what was made, and what is in a file of synthetic pairs."""

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.reports.tables import print_table, shown

Row = dict[str, Any]
SHOWN = 0.005
"""Share of a language's texts that are identified as another one from which on it is said."""
NOT_COLUMNS = ("language", "maker", "identified", "made", "details")


def print_made(accounts: Sequence[Row]) -> None:
    """What came of making or filtering, a row a language."""
    print_table([made_row(account) for account in accounts])


def made_row(account: Row) -> Row:
    """What was rejected, and how much was switched."""
    details = account["details"]
    row = {"language": account["language"], "made by": account["made_by"], "made": account["made"]}
    row |= {"kept": account["kept"], "rejected": listed(details.get("rejected", {}))}
    if "switched" in details:
        row |= {"switch rate": details["switched"]["switch_rate"], "coverage": details["switched"]["coverage"]}
    return row


def print_report(rows: Sequence[Row]) -> None:
    """What is in a file, by maker and language; then what is odd, and what was rejected before."""
    columns = [name for name in rows[0] if name not in NOT_COLUMNS]
    print_table(
        [
            {"language": row["language"], "made by": row["maker"], **{name: row[name] for name in columns}}
            for row in rows
        ]
    )
    for row in rows:
        others = [
            f"identified as {language} {part:.3f}"
            for language, part in row["identified"].items()
            if language != row["language"] and part >= SHOWN
        ]
        rejected = row["details"].get("rejected")
        said = [*others, *([f"rejected of {row['made']}: {listed(rejected)}"] if rejected else [])]
        if said:
            print(f"{shown(row['language'])}, {shown(row['maker'])}: {'; '.join(said)}")


def listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
