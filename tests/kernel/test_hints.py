"""Every row of the table of hints, provoked for real.

Not provoked, and therefore without a row of their own: what AppArmor denies (mount EACCES), a
kernel without a kind of namespace (clone3 EINVAL), an overlay that old kernels refuse in a user
namespace (fsconfig EPERM), and cgroup v2 controllers in the way of CLONE_INTO_CGROUP (EBUSY).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import provoke_mounts
import provoke_namespaces
import provoke_rights
import pytest
from confined import in_child
from provoke import PROVOKED

from minirt.errors import ConfigError, KernelError, MinirtError
from minirt.hints import ROWS, hint_for

if TYPE_CHECKING:
    from collections.abc import Callable

# Importing them is what fills the register.
REGISTERED = (provoke_mounts, provoke_namespaces, provoke_rights)
CASES = [(key, function) for key, functions in PROVOKED.items() for function in functions]


@pytest.mark.parametrize(("key", "function"), CASES, ids=[f.__name__ for _, f in CASES])
def test_the_failure_gets_its_hint(key: tuple[str, ...], function: Callable[[], object]) -> None:
    def hint() -> str:
        try:
            function()
        except MinirtError as error:
            return f"{error.call_line()}: {hint_for(error)}"
        return "nothing failed"

    shown = in_child(hint)
    before, root, after = ROWS[key].partition("{root}")
    assert f": {before}" in shown
    assert shown.endswith(after)
    assert not root or "sudo " in shown or "this root lacks CAP_SYS_ADMIN" in shown


def test_every_row_is_provoked() -> None:
    assert set(PROVOKED) == set(ROWS)


def test_what_is_not_a_failed_call_has_no_hint_from_the_table() -> None:
    assert hint_for(ConfigError("wrong", pointer="/x")) == ""
    assert hint_for(KernelError("odd", call="write(x)", errno=5)) == ""
