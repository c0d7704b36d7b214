# SPDX-License-Identifier: MIT
"""The rooms of the tree and the arrows between them, for the checks: core <- codec <- transport <- call <- link <-
{front <- server, client} <- services <- apps; schema is beside them, on upb and the public headers."""

# For each room, what it may include beside itself and <quoit/...>. A folder in a room may be a room of its own.
MAY_INCLUDE = {
    "include": {"upb"},
    "core": set(),
    "core/engine": {"core"},
    "codec": {"core", "upb"},
    "codec/plugin": {"upb"},
    "transport": {"core", "codec", "upb"},
    "call": {"core", "codec", "transport", "upb"},
    "link": {"core", "codec", "transport", "call", "upb"},
    "front": {"core", "codec", "transport", "call", "link", "schema", "generated", "upb"},
    "server": {"core", "codec", "transport", "call", "link", "front", "schema", "upb"},
    "client": {"core", "codec", "transport", "call", "link", "upb"},
    "services": {"generated"},
    "schema": {"upb"},
    "apps": {"generated"},
    "apps/quoit": {"apps", "generated", "upb"},
}
# What a room may call: what it may include, and what is behind the headers that it sees. Some functions that core's headers
# declare are defined in core/engine/.
MAY_CALL = MAY_INCLUDE | {
    "link": {"core/engine", *MAY_INCLUDE["link"]},
    "server": {"core/engine", *MAY_INCLUDE["server"]},
    "client": {"core/engine", *MAY_INCLUDE["client"]},
    "services": {"codec", "transport", "call", "link", "front", "server", "client"},
    "schema": {"codec"},
    "front": {"schema", *MAY_INCLUDE["front"]},
    "apps": {"codec", "transport", "call", "link", "front", "server", "client", "services", "schema"},
}
MAY_CALL["apps/quoit"] = {"apps", *MAY_CALL["apps"]}


def room_of(path):
    """The room of the file @path, as written from the root; None: it is in none."""
    folders = path.split("/")[:-1]
    names = ("/".join(folders[:count]) for count in range(len(folders), 0, -1))
    return next((name for name in names if name in MAY_INCLUDE), None)


def circle(arrows):
    """A way back to where it began, [a, b, ..., a], in @arrows, {from: those it goes to}; None: there is none."""
    over = set()

    def search(node, way):
        if node in way:
            return [*way[way.index(node) :], node]
        if node in over:
            return None
        found = (search(target, [*way, node]) for target in sorted(arrows.get(node, ())))
        result = next(filter(None, found), None)
        over.add(node)
        return result

    return next(filter(None, (search(node, []) for node in sorted(arrows))), None)
