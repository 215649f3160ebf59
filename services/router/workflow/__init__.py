"""The one module around SpiffWorkflow: checks, compiles and runs BPMN in the zeebe dialect.

    report = check(xml)                                         # ok | refused, with findings
    process = compile_process(xml, key=…, version=…, decisions=…)
    instance, step = start(process, instance_id=…, data={…}, now=…)
    instance = load(process, state)
    step = instance.complete_user_task(task_id, result, now)    # and so on
    state = instance.dump()

Pure: no I/O, no clock, no randomness. SpiffWorkflow moves tokens; parser, expressions, decisions,
variables, timers and persistence are ours.
"""

from .bindings import DecisionEvaluator
from .compiled import CompiledProcess, ElementInfo, Pins, check, compile_process
from .errors import ProcessRefused, StateNotReadable, StateOfOtherVersion
from .findings import Report
from .instance import Instance, load, start
from .state import Stored
from .step import (
    Decision,
    Escalation,
    Incident,
    Job,
    OpenUserTask,
    Step,
    Timer,
    Wait,
    labels,
)
from .surroundings import Known, Surroundings, called_processes, executable_processes

__all__ = [
    "CompiledProcess",
    "Decision",
    "DecisionEvaluator",
    "ElementInfo",
    "Escalation",
    "Incident",
    "Instance",
    "Job",
    "Known",
    "OpenUserTask",
    "Pins",
    "ProcessRefused",
    "Report",
    "StateNotReadable",
    "StateOfOtherVersion",
    "Step",
    "Stored",
    "Surroundings",
    "Timer",
    "Wait",
    "called_processes",
    "check",
    "compile_process",
    "executable_processes",
    "labels",
    "load",
    "start",
]
