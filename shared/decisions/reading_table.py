"""From XML to a decision table, every cell compiled and every oddity noted by rule and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.feel import Run, compile_expression
from shared.feel.names import canonical
from shared.feel.scope import ValueScope

from .table import AGGREGATIONS, HIT_POLICIES, Column, DecisionTable, Output, Rule
from .xml import attribute, child, children, is_feel, text_in

if TYPE_CHECKING:
    from lxml import etree

    from shared.feel import Expression, UnaryTests

    from .compiling import Compiler
    from .findings import Place
    from .types import Types

#: dmn-js and Camunda know no larger tables either; beyond it a table belongs into a database.
MAX_RULES = 20_000


class TableReader:
    """Reads one decisionTable."""

    def __init__(self, compiler: Compiler, types: Types) -> None:
        """Read with a compiler that knows the model's names, and its types."""
        self._compiler = compiler
        self._findings = compiler.findings
        self._types = types

    def read(self, element: etree._Element, place: Place) -> DecisionTable:
        """Return the table."""
        name = place.steps[-1] if place.steps else element.get("id", "")
        columns = tuple(
            self._column(column, number, place)
            for number, column in enumerate(children(element, "input"), start=1)
        )
        outputs = tuple(
            self._output(output, number, place)
            for number, output in enumerate(children(element, "output"), start=1)
        )
        rules = []
        for number, rule in enumerate(children(element, "rule"), start=1):
            if number > MAX_RULES:
                self._findings.error(
                    place,
                    "too-many-rules",
                    f"超过 {MAX_RULES} 条规则。",
                    f"Over {MAX_RULES} rules.",
                )
                break
            rules.append(self._rule(rule, number, columns, outputs, place))
        if not outputs:
            self._findings.error(place, "no-output", "决策表没有输出列。", "There is no output.")
        policy, aggregation = self._hit_policy(element, outputs, place)
        return DecisionTable(name, policy, columns, outputs, tuple(rules), self._types, aggregation)

    def _hit_policy(
        self, element: etree._Element, outputs: tuple[Output, ...], place: Place
    ) -> tuple[str, str]:
        policy = element.get("hitPolicy", "UNIQUE")
        aggregation = element.get("aggregation", "")
        if policy not in HIT_POLICIES or aggregation not in AGGREGATIONS:
            shown = f"{policy} {aggregation}".strip()
            self._findings.error(
                place,
                "hit-policy",
                f"未知的命中策略 {shown!r}。",
                f"The hit policy {shown!r} is unknown.",
                (
                    "请选择 " + "、".join(sorted(HIT_POLICIES)),
                    "Take " + ", ".join(sorted(HIT_POLICIES)),
                ),
            )
            return "UNIQUE", ""
        if aggregation and (policy != "COLLECT" or len(outputs) > 1):
            self._findings.error(
                place,
                "aggregation",
                "只有单输出的 COLLECT 表可以汇总。",
                "Only a COLLECT table with a single output can aggregate.",
            )
            return policy, ""
        is_ranked = policy in ("PRIORITY", "OUTPUT ORDER")
        if is_ranked and not any(output.priorities for output in outputs):
            self._findings.error(
                place,
                "no-priorities",
                f"命中策略 {policy} 需要输出列的取值顺序。",
                f"The hit policy {policy} needs the outputs' values in order.",
                (
                    "请在输出列列出允许的取值，优先者在前。",
                    "List the outputs' values, first the highest.",
                ),
            )
        return policy, aggregation

    def _column(self, element: etree._Element, number: int, place: Place) -> Column:
        question = child(element, "inputExpression")
        text = text_in(question)
        label = element.get("label") or canonical(text) or f"input {number}"
        inner = place.at(f"input {number} {label!r}")
        allowed = child(element, "inputValues")
        tests = None if allowed is None else self._compiler.tests(text_in(allowed), inner)
        type_ref = attribute(question, "typeRef")
        return Column(
            label, self._cell(question, text, inner), self._types.of(type_ref), tests, type_ref
        )

    def _cell(self, element: etree._Element | None, text: str, place: Place) -> Expression:
        """Compile an expression in a cell; an empty output means null."""
        language = attribute(element, "expressionLanguage")
        if not is_feel(language):
            self._findings.error(
                place,
                "not-feel",
                f"表达式语言 {language!r} 不受支持，请改写为 FEEL。",
                f"The expression language {language!r} is not supported; write FEEL.",
            )
            return compile_expression("null")
        return self._compiler.expression(text, place)

    def _output(self, element: etree._Element, number: int, place: Place) -> Output:
        name = canonical(element.get("name") or element.get("label") or f"output {number}")
        inner = place.at(f"output {number} {name!r}")
        type_ref = element.get("typeRef", "")
        values = child(element, "outputValues")
        text = text_in(values) if values is not None else self._types.allowed_values(type_ref)
        default = child(element, "defaultOutputEntry")
        return Output(
            name,
            self._priorities(text, inner),
            None if default is None else self._cell(default, text_in(default), inner),
            type_ref,
        )

    def _priorities(self, text: str, place: Place) -> tuple[object, ...]:
        """Return the listed values in order; they are constants."""
        if not text.strip():
            return ()
        listed = self._compiler.expression(f"[{text}]", place)
        values = listed.run(Run(), ValueScope({}))
        return tuple(values) if isinstance(values, list) else ()

    def _rule(
        self,
        element: etree._Element,
        number: int,
        columns: tuple[Column, ...],
        outputs: tuple[Output, ...],
        place: Place,
    ) -> Rule:
        inner = place.at(f"rule {number}")
        tests = list(children(element, "inputEntry"))
        results = list(children(element, "outputEntry"))
        if (len(tests), len(results)) != (len(columns), len(outputs)):
            self._findings.error(
                inner,
                "rule-width",
                f"规则有 {len(tests)} 个输入和 {len(results)} 个输出，"
                f"而表有 {len(columns)} 和 {len(outputs)} 列。",
                f"The rule has {len(tests)} inputs and {len(results)} outputs, "
                f"the table {len(columns)} and {len(outputs)} columns.",
            )
            results = results[: len(outputs)]
        compiled: list[tuple[int, UnaryTests]] = []
        for at, (cell, column) in enumerate(zip(tests, columns, strict=False)):
            where = inner.at(f"input {at + 1} {column.label!r}")
            test = self._test(cell, where)
            if test is not None:
                compiled.append((at, test))
        cells = [
            self._result(cell, inner.at(f"output {at + 1} {output.name!r}"))
            for at, (cell, output) in enumerate(zip(results, outputs, strict=False))
        ]
        cells += [compile_expression("null")] * (len(outputs) - len(cells))
        annotations = tuple(text_in(note) for note in children(element, "annotationEntry"))
        return Rule(number, element.get("id", ""), tuple(compiled), tuple(cells), annotations)

    def _test(self, element: etree._Element, place: Place) -> UnaryTests | None:
        if not is_feel(attribute(element, "expressionLanguage")):
            self._cell(element, "null", place)
        return self._compiler.tests(text_in(element), place)

    def _result(self, element: etree._Element, place: Place) -> Expression:
        text = text_in(element)
        return self._cell(element, text if text.strip() not in ("", "-") else "null", place)
