"""Jobs that Levee does itself: known by name, and given what they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.router.domain.operations import BY_TYPE, PREFIX

if TYPE_CHECKING:
    from .findings import Findings
    from .model import Pairs


def check_operation(findings: Findings, path: str, job_type: str, inputs: Pairs) -> None:
    """Add what is wrong with a job of ours; a type that is worked out at run time is not known."""
    if not job_type.startswith(PREFIX):
        return
    operation = BY_TYPE.get(job_type)
    if operation is None:
        findings.add(path, "operation-unknown", value=job_type, known=", ".join(sorted(BY_TYPE)))
        return
    told = {target.partition(".")[0]: source for target, source in inputs}
    for given in operation.takes:
        source = told.get(given.name)
        if source is None:
            if given.is_needed:
                findings.add(path, "operation-input", value=job_type, missing=given.name)
        elif given.choices and not source.startswith("=") and source not in given.choices:
            findings.add(
                path,
                "operation-choice",
                value=job_type,
                name=given.name,
                told=source,
                choices=", ".join(given.choices),
            )
