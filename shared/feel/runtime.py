"""Everything that generated code can reach, and nothing else."""

from __future__ import annotations

from decimal import Decimal

from . import arithmetic, operations, sharing
from .numbers import NUMBERS
from .properties import property_of

#: All that generated code can reach.
GLOBALS: dict[str, object] = {
    "__builtins__": {},
    "type": type,
    "str": str,
    "bool": bool,
    "number": Decimal,
    "number_add": NUMBERS.add,
    "number_sub": NUMBERS.subtract,
    "number_mul": NUMBERS.multiply,
    "text_add": arithmetic.joined,
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "div": arithmetic.divide,
    "pow": arithmetic.raise_to,
    "neg": arithmetic.negate,
    "all_of": operations.all_of,
    "any_of": operations.any_of,
    **operations.COMPARISONS,
    "between": operations.between,
    "contained": operations.contained,
    "tested": operations.tested,
    "within": operations.within,
    "passes_any": operations.passes_any,
    "negated": operations.negated,
    "make_range": operations.make_range,
    "open_range": operations.open_range,
    "is_instance": operations.is_instance,
    "loop": operations.loop,
    "some": operations.some,
    "every": operations.every,
    "steps": operations.steps,
    "at_index": operations.at_index,
    "filtered": operations.filtered,
    "has_entry": operations.has_entry,
    "entry": operations.entry,
    "make_function": operations.make_function,
    "call": operations.call,
    "call_own": operations.call_own,
    "property_of": property_of,
    "looked_up": lambda scope, name: scope.get(name),
    "walked": lambda run, scope, names: scope.walk(run, names),
    "looked_up_or": lambda scope, name, default: scope.get(name, default),
    "unasked": sharing.UNASKED,
    "Paid": sharing.Paid,
    "remember": sharing.remember,
    "pay": sharing.pay,
    "keep": sharing.keep,
    "all_pass": sharing.all_pass,
    "called": lambda run, builtin, arguments: builtin(run, arguments),
}
