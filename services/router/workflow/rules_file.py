"""Rules about files and dialects: what is not ours to read or execute."""

from __future__ import annotations

from .rule import Rule

FILE_RULES: dict[str, Rule] = {
    # -- the file
    "file-too-big": Rule(
        "文件过大：{size} 字节，上限 {limit} 字节。",
        "The file has {size} bytes; at most {limit} are allowed.",
        "把流程拆成几个较小的流程。",
        "Split the process into smaller ones.",
    ),
    "file-not-utf-8": Rule(
        "文件不是 UTF-8 编码（第 {at} 字节）。",
        "The file is not UTF-8 (byte {at}).",
        "另存为 UTF-8。",
        "Save it as UTF-8.",
    ),
    "file-encoding": Rule(
        "文件声明的编码是 {encoding}，而内容按 UTF-8 提交；名称会变成乱码。",
        "The file says it is {encoding}, and is handed in as UTF-8: names would be garbled.",
        '另存为 UTF-8，并声明 encoding="UTF-8"。',
        'Save it as UTF-8, with encoding="UTF-8".',
    ),
    "file-not-xml": Rule(
        "文件不是格式良好的 XML：{problem}",
        "The file is not well-formed XML: {problem}",
        "用 Camunda Modeler 重新保存该文件。",
        "Save the file again with Camunda Modeler.",
    ),
    "file-has-dtd": Rule(
        "文件含有 DTD 或实体声明，出于安全原因不予接受。",
        "The file declares a DTD or entities, which is refused for safety.",
        "删除 <!DOCTYPE …> 声明。",
        "Remove the <!DOCTYPE …> declaration.",
    ),
    "file-not-bpmn": Rule(
        "根元素是 {tag}，不是 BPMN 2.0 的 definitions。",
        "The root element is {tag}, not the definitions of BPMN 2.0.",
        "请提供 BPMN 2.0 图。",
        "Hand in a BPMN 2.0 diagram.",
    ),
    "process-count": Rule(
        "文件中有 {count} 个可执行流程，应当恰好有一个。",
        "The file has {count} executable processes; there must be exactly one.",
        '只让一个 process 的 isExecutable="true"。',
        'Set isExecutable="true" on exactly one process.',
    ),
    "too-many-attributes": Rule(
        "一个 {tag} 元素的属性超过 {limit} 个。",
        "A {tag} has more than {limit} attributes.",
        "删除多余的属性。",
        "Remove those that do not belong there.",
    ),
    "too-many-nodes": Rule(
        "流程有 {count} 个节点，上限 {limit} 个。",
        "The process has {count} nodes; at most {limit} are allowed.",
        "把流程拆成几个较小的流程。",
        "Split the process into smaller ones.",
    ),
    "too-many-flows": Rule(
        "流程有 {count} 条顺序流，上限 {limit} 条。",
        "The process has {count} sequence flows; at most {limit} are allowed.",
        "把流程拆成几个较小的流程。",
        "Split the process into smaller ones.",
    ),
    "too-deep": Rule(
        "子流程嵌套 {depth} 层，上限 {limit} 层。",
        "Sub-processes are nested {depth} deep; at most {limit} is allowed.",
        "减少嵌套层次。",
        "Nest less deeply.",
    ),
    "more-findings": Rule(
        "还有更多问题；只列出前 {limit} 处。",
        "There is more; only the first {limit} findings are listed.",
        "改正已列出的问题后再次检查。",
        "Mend these and check again.",
    ),
    # -- dialect
    "foreign-dialect": Rule(
        "{what} 属于其他引擎的方言（{dialect}），这里不会执行。",
        "{what} belongs to another engine's dialect ({dialect}) and would not be executed.",
        "在 Camunda Modeler 中以 Camunda 8 模式重画这一步。",
        "Draw this step anew in Camunda Modeler's Camunda 8 mode.",
    ),
    "translated": Rule(
        "已由 Camunda 7 翻译：{what}",
        "Translated from Camunda 7: {what}",
        "请核对译文；“–”表示此处不需要。",
        "Look whether it is still what is meant; – is what is not needed here.",
        "info",
    ),
    "start-form": Rule(
        "开始表单 {form} 不会显示：申请表单在服务目录中。",
        "The start form {form} is not shown: what is asked of a requester stands in the catalogue.",
        "在 catalogue.yaml 中为申请类型设置表单。",
        "Give the request type its form in catalogue.yaml.",
        "warning",
    ),
    "camunda7-code": Rule(
        "{what} 调用其他系统的程序代码，这里不会执行。",
        "{what} calls program code of another system, which is not executed here.",
        "改为带作业类型的服务任务，由工作者完成，或选择一个元素模板。",
        "Make it a service task with a job type, done by a worker, or choose an element template.",
    ),
    "juel-not-translatable": Rule(
        "{text} 无法翻译成 FEEL：{problem}",
        "{text} cannot be translated into FEEL: {problem}",
        "用 FEEL 改写，或先用服务任务取得所需的值。",
        "Write it in FEEL, or let a service task fetch the value first.",
    ),
    "juel-expression": Rule(
        "{text} 是 JUEL 表达式，这里只理解 FEEL。",
        "{text} is a JUEL expression; only FEEL is understood.",
        '改写为 FEEL，例如 =request.urgency = "high"。',
        'Write it in FEEL, for example =request.urgency = "high".',
    ),
    "unknown-extension": Rule(
        "扩展元素 {what} 不受支持。",
        "The extension element {what} is not supported here.",
        "删除该扩展；此处可用：{possible}。",
        "Remove it; possible here: {possible}.",
    ),
    "unknown-attribute": Rule(
        '{what} 的属性 {attribute}="{value}" 不受支持。',
        'The attribute {attribute}="{value}" of {what} is not supported.',
        "删除该属性。",
        "Remove the attribute.",
    ),
    "unsupported-element": Rule(
        "元素 {tag} 不受支持：{zh_reason}。",
        "The element {tag} is not supported: {reason}.",
        "{zh_remedy}。",
        "{remedy}.",
    ),
    "unsupported-event": Rule(
        "{kind} 事件在 {tag} 上不受支持。",
        "A {kind} event is not supported on a {tag}.",
        "这里支持：{zh_possible}。流程由路由器启动；撤销步骤请画成普通路径。",
        "Possible here: {possible}. The router starts processes; the undoing of a step is drawn as "
        "an ordinary path.",
    ),
    "drawn-only": Rule(
        "{tag} 只是图示，不会执行。",
        "A {tag} is drawn only; nothing is executed for it.",
        "若需执行，请改用变量映射。",
        "Use input and output mappings for data that matters.",
        "warning",
    ),
    "passes-at-once": Rule(
        "{tag} 不会停下来等人，流程立即继续。",
        "A {tag} asks nobody; the process goes on at once.",
        "需要人处理时请用用户任务。",
        "Use a user task when a person has to act.",
        "warning",
    ),
}
