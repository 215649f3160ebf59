"""Which words of BPMN and of the zeebe extensions we execute, draw, or refuse and why."""

from __future__ import annotations

from typing import NamedTuple

#: Flow nodes the engine executes.
NODES = frozenset(
    {
        "startEvent",
        "endEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "boundaryEvent",
        "userTask",
        "serviceTask",
        "sendTask",
        "receiveTask",
        "scriptTask",
        "businessRuleTask",
        "task",
        "manualTask",
        "subProcess",
        "callActivity",
        "exclusiveGateway",
        "parallelGateway",
        "inclusiveGateway",
        "eventBasedGateway",
    }
)

#: Parts of a process or node that carry no behaviour, or are read elsewhere.
SILENT = frozenset(
    {
        "documentation",
        "extensionElements",
        "incoming",
        "outgoing",
        "sequenceFlow",
        "laneSet",
        "textAnnotation",
        "association",
        "group",
        "script",
        "monitoring",
        "auditing",
        "multiInstanceLoopCharacteristics",
    }
)
#: Drawn, but without effect: worth a warning.
DRAWN = frozenset(
    {"dataObject", "dataObjectReference", "dataInputAssociation", "dataOutputAssociation"}
)

#: What a sequence flow, a lane or a set of them, and a message, signal or error of the file hold.
IN_FLOWS = frozenset({"documentation", "extensionElements", "conditionExpression"})
IN_LANES = frozenset({"documentation", "extensionElements", "lane", "flowNodeRef", "childLaneSet"})
IN_ROOTS = frozenset({"documentation", "extensionElements"})
#: Attributes that state a truth.
TRUTHS = frozenset(
    {
        "cancelActivity",
        "instantiate",
        "isForCompensation",
        "isInterrupting",
        "isSequential",
        "parallelMultiple",
        "triggeredByEvent",
    }
)
EVENT_KINDS = {
    "messageEventDefinition": "message",
    "timerEventDefinition": "timer",
    "errorEventDefinition": "error",
    "escalationEventDefinition": "escalation",
    "terminateEventDefinition": "terminate",
    "signalEventDefinition": "signal",
    "linkEventDefinition": "link",
    "compensateEventDefinition": "compensate",
    "conditionalEventDefinition": "conditional",
    "cancelEventDefinition": "cancel",
}
_BESIDE = frozenset({"message", "timer", "error", "escalation", "signal", "conditional"})
#: Which events each element may have.
EVENTS_ON: dict[str, frozenset[str]] = {
    "startEvent": frozenset({"none"}),
    #: The start of an event sub-process.
    "eventStart": _BESIDE,
    "endEvent": frozenset({"none", "message", "error", "escalation", "terminate", "signal"}),
    "intermediateCatchEvent": frozenset({"message", "timer", "signal", "conditional", "link"}),
    "intermediateThrowEvent": frozenset({"none", "message", "escalation", "signal", "link"}),
    "boundaryEvent": _BESIDE,
}


class Why(NamedTuple):
    """Why an element is refused and what to draw instead."""

    reason: str
    zh_reason: str
    remedy: str
    zh_remedy: str


REFUSED: dict[str, Why] = {
    "complexGateway": Why(
        "its meaning is not defined precisely enough to be executed",
        "其含义不够精确，无法执行",
        "Use exclusive, parallel or inclusive gateways",
        "改用排他、并行或包容网关",
    ),
    "transaction": Why(
        "transactions and compensation are not executed",
        "不执行事务与补偿",
        "Draw a sub-process with an error boundary event",
        "画一个带错误边界事件的子流程",
    ),
    "adHocSubProcess": Why(
        "steps without an order are not executed",
        "不执行无顺序的步骤",
        "Draw the steps in an order or with an inclusive gateway",
        "用顺序或包容网关画出这些步骤",
    ),
    "dataStoreReference": Why(
        "no store stands behind it",
        "其背后没有数据存储",
        "Read and write with a service task",
        "用服务任务读写数据",
    ),
    "loopCardinality": Why(
        "a multi-instance runs over a collection, not a number of times",
        "多实例按集合执行，而不是按次数",
        "Write the input collection, for example =for i in 1..3 return i",
        "填写输入集合，例如 =for i in 1..3 return i",
    ),
    "behavior": Why(
        "a multi-instance throws no events of its own",
        "多实例自身不抛出事件",
        "Draw the event behind the activity",
        "把事件画在活动之后",
    ),
    "loopHere": Why(
        "only tasks, sub-processes and call activities have rounds",
        "只有任务、子流程和调用活动可以多实例",
        "Put the marker on the activity",
        "把标记放在活动上",
    ),
    "standardLoopCharacteristics": Why(
        "loop markers are not executed",
        "不执行循环标记",
        "Draw the loop with an exclusive gateway",
        "用排他网关画出循环",
    ),
    "ioSpecification": Why(
        "BPMN data inputs and outputs are not executed",
        "不执行 BPMN 数据输入输出",
        "Use input and output mappings",
        "使用输入与输出映射",
    ),
    "isForCompensation": Why(
        "compensation is not executed",
        "不执行补偿",
        "Draw the undoing as an ordinary path",
        "把撤销画成普通路径",
    ),
    "instantiate": Why(
        "instances are started by the router, not by an event in the diagram",
        "实例由路由器启动，不由图中事件启动",
        "Begin with a plain start event",
        "使用空开始事件",
    ),
    "parallelMultiple": Why(
        "waiting for several events at once is not executed",
        "不执行并行多重事件",
        "Draw parallel paths",
        "画并行路径",
    ),
    "quantity": Why(
        "start and completion quantities other than 1 are not executed",
        "不执行非 1 的数量",
        "Draw the tokens as separate paths",
        "把它们画成独立路径",
    ),
}
UNKNOWN = Why(
    "the engine does not know it",
    "引擎不认识该元素",
    "Draw it with supported elements",
    "用受支持的元素画出",
)

#: Attributes each zeebe extension element may have.
ZEEBE_ATTRIBUTES: dict[str, frozenset[str]] = {
    "taskDefinition": frozenset({"type", "retries"}),
    "calledDecision": frozenset({"decisionId", "resultVariable", "bindingType"}),
    "script": frozenset({"expression", "resultVariable"}),
    "assignmentDefinition": frozenset({"assignee", "candidateGroups", "candidateUsers"}),
    "taskSchedule": frozenset({"dueDate", "followUpDate"}),
    "formDefinition": frozenset({"formId", "formKey", "externalReference", "bindingType"}),
    "userTask": frozenset(),
    "priorityDefinition": frozenset({"priority"}),
    "taskHeaders": frozenset(),
    "header": frozenset({"key", "value"}),
    "ioMapping": frozenset(),
    "input": frozenset({"source", "target"}),
    "output": frozenset({"source", "target"}),
    "properties": frozenset(),
    "property": frozenset({"name", "value"}),
    "subscription": frozenset({"correlationKey"}),
    "calledElement": frozenset(
        {"processId", "propagateAllChildVariables", "propagateAllParentVariables", "bindingType"}
    ),
    "loopCharacteristics": frozenset(
        {"inputCollection", "inputElement", "outputCollection", "outputElement"}
    ),
    "versionTag": frozenset({"value"}),
}
_WORK = frozenset({"taskDefinition", "taskHeaders", "ioMapping", "properties"})
#: Which zeebe extension elements each BPMN element may have.
ZEEBE_ON: dict[str, frozenset[str]] = {
    "serviceTask": _WORK,
    "sendTask": _WORK,
    "businessRuleTask": _WORK | {"calledDecision"},
    "scriptTask": _WORK | {"script"},
    "intermediateThrowEvent": _WORK,
    "endEvent": _WORK,
    "userTask": frozenset(
        {
            "userTask",
            "assignmentDefinition",
            "priorityDefinition",
            "taskSchedule",
            "formDefinition",
            "taskHeaders",
            "ioMapping",
            "properties",
        }
    ),
    "receiveTask": frozenset({"ioMapping", "properties"}),
    "intermediateCatchEvent": frozenset({"ioMapping", "properties"}),
    "boundaryEvent": frozenset({"ioMapping", "properties"}),
    "startEvent": frozenset({"ioMapping", "properties"}),
    "subProcess": frozenset({"ioMapping", "properties"}),
    "callActivity": frozenset({"calledElement", "ioMapping", "properties"}),
    "multiInstanceLoopCharacteristics": frozenset({"loopCharacteristics"}),
    "message": frozenset({"subscription", "properties"}),
    "process": frozenset({"properties", "versionTag"}),
}
#: Dialects of other engines, by a part of their namespace.
FOREIGN = {
    "camunda.org/schema/1.0": "Camunda 7",
    "activiti": "Activiti",
    "flowable": "Flowable",
    "spiffworkflow": "SpiffWorkflow",
    "jboss": "jBPM",
    "drools": "jBPM",
}
