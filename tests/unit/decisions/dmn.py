"""Writes small DMN files, so that a test shows only what matters to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from shared.decisions import DecisionModel, load_decisions

DMN_1_3 = "https://www.omg.org/spec/DMN/20191111/MODEL/"


@dataclass(frozen=True)
class Table:
    """A decision table: headings `name: type`, and rows of cells, inputs before outputs."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    hit_policy: str = "UNIQUE"
    aggregation: str = ""
    output_values: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)

    def xml(self) -> str:
        """Write the table as dmn-js does."""
        columns = "".join(self._input(heading, n) for n, heading in enumerate(self.inputs))
        outputs = "".join(self._output(heading, n) for n, heading in enumerate(self.outputs))
        rules = "".join(self._rule(row, n) for n, row in enumerate(self.rows, start=1))
        aggregation = f' aggregation="{self.aggregation}"' if self.aggregation else ""
        return (
            f'<decisionTable id="table" hitPolicy="{self.hit_policy}"{aggregation}>'
            f"{columns}{outputs}{rules}</decisionTable>"
        )

    @staticmethod
    def _input(heading: str, number: int) -> str:
        text, kind = _split(heading)
        return (
            f'<input id="input{number}"><inputExpression id="ie{number}"{kind}>'
            f"<text>{escape(text)}</text></inputExpression></input>"
        )

    def _output(self, heading: str, number: int) -> str:
        name, kind = _split(heading)
        inner = ""
        if name in self.output_values:
            inner += f"<outputValues><text>{escape(self.output_values[name])}</text></outputValues>"
        if name in self.defaults:
            text = escape(self.defaults[name])
            inner += f"<defaultOutputEntry><text>{text}</text></defaultOutputEntry>"
        return f'<output id="output{number}" name={quoteattr(name)}{kind}>{inner}</output>'

    def _rule(self, row: tuple[str, ...], number: int) -> str:
        split = len(self.inputs)
        cells = "".join(f"<inputEntry><text>{escape(c)}</text></inputEntry>" for c in row[:split])
        cells += "".join(
            f"<outputEntry><text>{escape(c)}</text></outputEntry>" for c in row[split:]
        )
        return f'<rule id="rule{number}">{cells}</rule>'


def _split(heading: str) -> tuple[str, str]:
    text, _, kind = heading.partition(": ")
    return text, f' typeRef="{kind}"' if kind else ""


def literal(text: str) -> str:
    """Write a literal expression."""
    return f"<literalExpression><text>{escape(text)}</text></literalExpression>"


def decision(
    name: str,
    logic: str,
    *,
    needs: tuple[str, ...] = (),
    inputs: tuple[str, ...] = (),
    knows: tuple[str, ...] = (),
    kind: str = "",
) -> str:
    """Write a decision; requirements are given by name, which is also the id."""
    required = "".join(
        f'<informationRequirement><requiredDecision href="#{n}"/></informationRequirement>'
        for n in needs
    )
    required += "".join(
        f'<informationRequirement><requiredInput href="#{n}"/></informationRequirement>'
        for n in inputs
    )
    required += "".join(
        f'<knowledgeRequirement><requiredKnowledge href="#{n}"/></knowledgeRequirement>'
        for n in knows
    )
    variable = f'<variable name="{name}" typeRef="{kind}"/>' if kind else ""
    return f'<decision id="{name}" name="{name}">{variable}{required}{logic}</decision>'


def file(*elements: str, space: str = DMN_1_3) -> bytes:
    """Write a file of decisions."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><definitions xmlns="{space}" id="defs" '
        f'name="Defs" namespace="http://camunda.org/schema/1.0/dmn">{"".join(elements)}</definitions>'
    ).encode()


def model(*elements: str) -> DecisionModel:
    """Load a file of decisions."""
    return load_decisions(file(*elements), file="test.dmn")


def table_model(table: Table, name: str = "routing") -> DecisionModel:
    """Load a file with one table."""
    return model(decision(name, table.xml()))
