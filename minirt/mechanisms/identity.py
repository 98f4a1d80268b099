"""Identity: the user and groups that the command runs as, and its umask (credentials(7))."""

from __future__ import annotations

import os

from minirt.linux.calls import failed
from minirt.linux.process import PR_SET_KEEPCAPS, prctl
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


# --8<-- [start:identity]
class Identity(Mechanism):
    """Ids as seen inside; `groups` are the supplementary ones, and replace all others."""

    name = "identity"

    def __init__(self, uid: int, gid: int, groups: tuple[int, ...], umask: int) -> None:
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.umask = umask

    def seal(self, ctx: Context) -> None:
        os.umask(self.umask)
        # Leaving uid 0 would empty the permitted set too, from which the container's own sets
        # are yet to be made ("Effect of user ID changes", capabilities(7)). exec clears this.
        if self.uid != 0:
            prctl(PR_SET_KEEPCAPS, 1, what="cannot keep capabilities over the change of user")
        # Groups first: the right to choose them goes with the user.
        self._set_groups()
        three = (self.gid, self.gid, self.gid)
        _call("setresgid", f"cannot become group {self.gid}", *three)
        three = (self.uid, self.uid, self.uid)
        _call("setresuid", f"cannot become user {self.uid}", *three)

    def _set_groups(self) -> None:
        try:
            os.setgroups(self.groups)
        except OSError as error:
            # In an unprivileged user namespace setgroups is denied, and nobody asked for any.
            if isinstance(error, PermissionError) and not self.groups:
                return
            shown = ", ".join(str(group) for group in self.groups)
            raise failed("cannot set the groups", f"setgroups([{shown}])", error) from None

    # --8<-- [end:identity]

    def describe(self) -> str:
        more = f", groups {', '.join(str(g) for g in self.groups)}" if self.groups else ""
        return f"identity: user {self.uid}, group {self.gid}{more}, umask {self.umask:04o}"

    def by_hand(self) -> list[str]:
        groups = ",".join(str(g) for g in self.groups)
        more = f"--groups={groups}" if groups else "--clear-groups"
        return [
            f"umask {self.umask:04o}",
            f'privs="$privs --reuid={self.uid} --regid={self.gid} {more}"',
        ]


def _call(name: str, what: str, *ids: int) -> None:
    try:
        getattr(os, name)(*ids)
    except OSError as error:
        shown = ", ".join(str(number) for number in ids)
        raise failed(what, f"{name}({shown})", error) from None
