"""USER: root inside is an ordinary id outside (user_namespaces(7)).

The namespace has every capability over what belongs to it, and none over the host. Its id maps
are written from outside, once; files of ids that are not mapped belong to nobody (65534).
"""

from __future__ import annotations

import os

from minirt.linux.id_maps import become_root, lines, write_map
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context

    IdMaps = tuple[tuple[int, int, int], ...]


# --8<-- [start:user]
class User(Mechanism):
    """Maps of ids: entries of (first inside, first outside, how many).

    A namespace that is joined by path has its maps already: then there are none here.
    """

    name = "user"
    by_hand_on_host = True
    namespace = "user"

    def __init__(self, uid_maps: IdMaps, gid_maps: IdMaps) -> None:
        self.uid_maps = uid_maps
        self.gid_maps = gid_maps

    def attach(self, ctx: Context) -> None:
        if not self.uid_maps:
            return
        # Who is not root may map their group only after giving up setgroups(2) inside: else
        # they could leave a group that a file denies access to (CVE-2014-8989).
        if os.geteuid() != 0:
            write_map(f"/proc/{ctx.pid}/setgroups", "deny")
        write_map(f"/proc/{ctx.pid}/uid_map", lines(self.uid_maps))
        write_map(f"/proc/{ctx.pid}/gid_map", lines(self.gid_maps))

    def enter(self, ctx: Context) -> None:
        # Not mapped yet when it was born, the process is root here only from now on. Files
        # that it makes before this would be nobody's (EOVERFLOW).
        become_root()

    # --8<-- [end:user]

    def describe(self) -> str:
        who = f"user {self.uid_maps[0][1]}" if self.uid_maps else "another user"
        return f"USER namespace: root inside is {who} outside, without power there"

    def by_hand(self) -> list[str]:
        maps = (("uid_map", self.uid_maps), ("gid_map", self.gid_maps))
        # Only root may map groups without giving up setgroups(2).
        deny = [] if os.geteuid() == 0 else ["echo deny > /proc/$PID/setgroups"]
        return deny + [f"printf '{lines(ids)}\\n' > /proc/$PID/{name}" for name, ids in maps]
