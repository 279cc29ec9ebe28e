"""What the doctor found: one sentence each, which says what to do where something is to be done."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    HINT = "hint"  # it works, and could work better or soon will not
    FAULT = "fault"  # do not trade before this is mended


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`about` is the venue or an account; `check` a stable word for programs."""

    level: Level
    about: str
    check: str
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    venue: str
    address: str
    findings: Sequence[Finding]

    @property
    def is_healthy(self) -> bool:
        return all(finding.level is not Level.FAULT for finding in self.findings)

    def as_json(self) -> dict[str, object]:
        return {
            "venue": self.venue,
            "address": self.address,
            "healthy": self.is_healthy,
            "faults": sum(finding.level is Level.FAULT for finding in self.findings),
            "findings": [asdict(finding) for finding in self.findings],
        }

    def lines(self) -> list[str]:
        """Return the findings as a person reads them, those about one account together."""
        lines = [f"{self.venue} at {self.address}"]
        about = ""
        for finding in self.findings:
            if finding.about != about:
                about = finding.about
                lines.append(f"\n{about}")
            lines.append(f"  {finding.level.value:<6}{finding.sentence}")
        faults = self.as_json()["faults"]
        verdict = "Ready." if self.is_healthy else f"Not ready: {faults} to mend."
        return [*lines, "", verdict]
