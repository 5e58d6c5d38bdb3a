"""Slow twins of the spatial kernel: one loop a rule, plain Python, nothing shared with the kernel but the map.

Each takes and gives NumPy arrays or lists for one world.  They are written to be obviously right, not fast.
"""

import numpy as np

FORWARD = {0: (-1, 0), 1: (0, 1), 2: (1, 0), 3: (0, -1)}  # north, east, south, west, as (row, column)
RIGHTWARD = {0: (0, 1), 1: (1, 0), 2: (0, -1), 3: (-1, 0)}


def spot(land, cell, facing, ahead, right):
    """The cell so far ahead and right of a body, or None off the map; a torus has no edge to fall off."""
    row, col = int(cell) // land.width, int(cell) % land.width
    row += ahead * FORWARD[int(facing)][0] + right * RIGHTWARD[int(facing)][0]
    col += ahead * FORWARD[int(facing)][1] + right * RIGHTWARD[int(facing)][1]
    while land.torus and not 0 <= row < land.height:
        row += land.height if row < 0 else -land.height
    while land.torus and not 0 <= col < land.width:
        col += land.width if col < 0 else -land.width
    if 0 <= row < land.height and 0 <= col < land.width:
        return row * land.width + col
    return None


def parse(text, sites):
    """Height, width, walls [cells] and sites [S] of a drawing, with the ring of wall that it may lack."""
    rows = text.strip("\n").split("\n")
    width = max(len(row) for row in rows)
    rows = [row + " " * (width - len(row)) for row in rows]
    ringed = set(rows[0]) | set(rows[-1]) | {row[0] for row in rows} | {row[-1] for row in rows} == {"W"}
    if not ringed:
        rows = ["W" * (width + 2), *("W" + row + "W" for row in rows), "W" * (width + 2)]
    letters = "".join(rows)
    return len(rows), len(rows[0]), [c == "W" for c in letters], [k for k, c in enumerate(letters) if c in sites]


# Random words


def earlier(bits):
    n = len(bits)
    return [[(int(bits[i]), i) < (int(bits[j]), j) for j in range(n)] for i in range(n)]


def rank(bits):
    order = sorted(range(len(bits)), key=lambda i: (int(bits[i]), i))
    return [order.index(i) for i in range(len(bits))]


def chance(bits):
    return [np.float32((int(word) // 256) / 2**24) for word in bits]


def pick(bits, options):
    return [int(word) % options for word in bits]


def among(bits, places):
    """For each word the so-many-th of the places, counted round and round."""
    there = [s for s, place in enumerate(places) if place]
    return [there[int(word) % len(there)] if there else len(places) for word in bits]


# Bodies


def turn(facing, out, quarter):
    return [(int(f) + int(q)) % 4 if o == 0 else int(f) for f, o, q in zip(facing, out, quarter, strict=True)]


def walk(land, cell, facing, out, go, quarter, order, slant=None):
    """One after the other in the random order; who meets a wall, the edge or somebody stays."""
    cell, n = [int(c) for c in cell], len(cell)
    place = rank(order)
    for i in sorted(range(n), key=lambda i: place[i]):
        if out[i] > 0 or not go[i]:
            continue
        target = spot(land, cell[i], (int(facing[i]) + int(quarter[i])) % 4, 1, int(slant is not None and slant[i]))
        if target is None or land.walls[target]:
            continue
        if any(cell[j] == target for j in range(n) if j != i and out[j] == 0):
            continue
        cell[i] = target
    return cell


def respawn(cell, facing, out, bits, cells):
    """Lowest index first, each on its drawn cell unless somebody who was in play, or has just entered, is there."""
    n = len(cell)
    cell, facing, out = [int(c) for c in cell], [int(f) for f in facing], [int(o) for o in out]
    occupied = {cell[i] for i in range(n) if out[i] == 0}
    for i in range(n):
        if out[i] > 1:
            out[i] -= 1
        elif out[i] == 1:
            entry = int(cells[int(bits[i]) % len(cells)])
            if entry not in occupied:
                occupied.add(entry)
                cell[i], facing[i], out[i] = entry, 0, 0
    return cell, facing, out


def site(land, cell, out):
    sites = [int(s) for s in land.sites]
    return [sites.index(int(c)) if o == 0 and int(c) in sites else len(sites) for c, o in zip(cell, out, strict=True)]


# Beams


def beam(land, cell, facing, length, radius, enter):
    """Follow every ray of one beam.  `enter(cell)` says whether the ray stops there; it is not called for walls."""

    def ray(first, side, count):
        """Whether the very first cell of the ray stopped it."""
        for k in range(count):
            here = spot(land, cell, facing, first + k, side)
            if here is None or land.walls[here] or enter(here):
                return k == 0
        return False

    ray(1, 0, length)
    for sign in (-1, 1):
        for k in range(1, radius + 1):
            if ray(0, sign * k, length - k + 1):
                break


def reach(land, cell, facing, out, length, radius):
    n = len(cell)
    hits = [[False] * n for _ in range(n)]
    for i in range(n):
        if out[i] > 0:
            continue

        def enter(here, i=i):
            for j in range(n):
                if j != i and out[j] == 0 and int(cell[j]) == here:
                    hits[i][j] = True
                    return True
            return False

        beam(land, cell[i], facing[i], length, radius, enter)
    return hits


def foremost(land, cell, facing, out, length):
    """One cell after the other: a site ends the search, a wall or somebody on the way to it ends it without one."""
    n, sites = len(cell), [int(s) for s in land.sites]
    met = [len(sites)] * n
    for i in range(n):
        for k in range(1, length + 1) if out[i] == 0 else ():
            here = spot(land, cell[i], facing[i], k, 0)
            if here is None or land.walls[here]:
                break
            if here in sites:
                met[i] = sites.index(here)
                break
            if any(out[j] == 0 and int(cell[j]) == here for j in range(n)):
                break
    return met


def sweep(land, cell, facing, out, blocks, length, radius):
    n, sites = len(cell), [int(s) for s in land.sites]
    swept = [[False] * len(sites) for _ in range(n)]
    for i in range(n):
        if out[i] > 0:
            continue

        def enter(here, i=i):
            if here not in sites:
                return False
            swept[i][sites.index(here)] = True
            return bool(blocks[sites.index(here)])

        beam(land, cell[i], facing[i], length, radius, enter)
    return swept


# Neighbours and views


def neighbours(land, live, radius):
    count = []
    for here in land.sites:
        near = 0
        for there, alive in zip(land.sites, live, strict=True):
            down = abs(int(here) // land.width - int(there) // land.width)
            over = abs(int(here) % land.width - int(there) % land.width)
            if land.torus:
                down, over = min(down, land.height - down), min(over, land.width - over)
            near += bool(alive) and here != there and down * down + over * over <= radius * radius
        count.append(near)
    return count


def labelled(live, kind, by):
    """A label on the goods as a layer on the sites: there is some now, and it is of a kind that is marked."""
    if np.ndim(by) == 2:
        return [labelled(live, kind, mine) for mine in by]
    return [bool(alive and by[int(k)]) for alive, k in zip(live, kind, strict=True)]


def marks(bodies, n):
    """[n, n] bit b: the row's agent sees the b-th layer, by name, on the column's."""
    codes = np.zeros((n, n), np.int64)
    for b, name in enumerate(sorted(bodies)):
        for i in range(n):
            for j in range(n):
                layer = bodies[name]
                codes[i, j] += 2**b * bool(layer[i][j] if np.ndim(layer) == 2 else layer[j])
    return codes


def borne(by, codes, layers):
    n = len(codes)
    return [[any(by[i][j] and int(codes[i, j]) // 2**b % 2 for j in range(n)) for b in range(layers)] for i in range(n)]


def view(land, extent, cell, facing, out, ground, sites, bodies, shown):
    """[n, rows, columns] codes: ground planes in their order, then sites and bodies by name."""
    n, spots = len(cell), [int(s) for s in land.sites]
    planes = [*ground, *sorted(sites), *sorted(bodies)]
    rows, cols = extent.ahead + extent.back + 1, 2 * extent.side + 1
    codes = np.zeros((n, rows, cols), np.int64)
    for i in range(n):
        if out[i] > 0:
            continue
        for r in range(rows):
            for c in range(cols):
                here = spot(land, cell[i], facing[i], extent.ahead - r, c - extent.side)
                seen = set()
                if here is None:
                    seen.add("wall")
                else:
                    seen |= {name for name, layer in ground.items() if layer[here]}
                    if here in spots:
                        s = spots.index(here)
                        seen |= {
                            name for name, layer in sites.items() if (layer[i][s] if np.ndim(layer) == 2 else layer[s])
                        }
                    for j in range(n):
                        if j != i and out[j] == 0 and int(cell[j]) == here:
                            seen |= {
                                name
                                for name, layer in bodies.items()
                                if (layer[i][j] if np.ndim(layer) == 2 else layer[j])
                            }
                codes[i, r, c] = sum(1 << p for p, name in enumerate(planes) if name in seen and shown.get(name, True))
    return codes


# Commons Harvest

QUARTERS = {1: 0, 2: 2, 3: 3, 4: 1}  # ahead, back, left, right: as right turns from ahead
TURNS = {5: -1, 6: 1}
ZAP = 7


def harvest_step(rules, state, action, words):
    """One step of Commons Harvest with the given random words: a new state, and what happened.

    `rules` is the situation (read for its map and numbers only); `state` and the result are dictionaries of
    plain numbers: cell, facing, out, cooling [n]; apples [S]; time.
    """
    land, n, total = rules.land, len(state["cell"]), len(rules.land.sites)
    length, radius = rules.beam
    move = [int(a) if o == 0 else 0 for a, o in zip(action, state["out"], strict=True)]

    facing = turn(state["facing"], state["out"], [TURNS.get(m, 0) for m in move])
    quarter = [QUARTERS.get(m, 0) for m in move]
    cell = walk(land, state["cell"], facing, state["out"], [m in QUARTERS for m in move], quarter, words["order"])

    apples = [bool(a) for a in state["apples"]]
    before = neighbours(land, apples, rules.radius)
    where = site(land, cell, state["out"])
    ate, sparse, kind = [0] * n, [0] * n, [0] * n
    kinds = [letter for letter in "ARBG" if letter in land.letter]
    for i in range(n):
        if where[i] < total:
            kind[i] = kinds.index(land.letter[where[i]])
            if state["apples"][where[i]]:
                ate[i], apples[where[i]] = 1, False
                sparse[i] = int(before[where[i]] < int(rules.thin))

    after = neighbours(land, apples, rules.radius)
    drawn = chance(words["grow"])
    rate = np.asarray(rules.regrowth, np.float32)
    regrown = [not apples[s] and bool(drawn[s] < rate[min(after[s], 3)]) for s in range(total)]
    apples = [a or g for a, g in zip(apples, regrown, strict=True)]

    fires = [m == ZAP and c == 0 for m, c in zip(move, state["cooling"], strict=True)]
    hits = reach(land, cell, facing, state["out"], length, radius)
    zap = [[int(fires[i] and hits[i][j]) for j in range(n)] for i in range(n)]
    cooling = [int(rules.cooldown) if f else max(int(c) - 1, 0) for f, c in zip(fires, state["cooling"], strict=True)]

    cell, facing, out = respawn(cell, facing, state["out"], words["spawn"], land.find("P"))
    grid = land.grid.ravel()
    trespass = [int(out[i] == 0 and grid[cell[i]] == "I" and i < int(rules.cooperators)) for i in range(n)]
    for j in range(n):
        if int(rules.exile) > 0 and any(zap[i][j] for i in range(n)):
            out[j] = int(rules.exile)

    time = int(state["time"]) + 1
    lottery = time >= int(rules.least) and time % 100 == 0 and chance(words["end"])[0] < np.float32(rules.lottery)
    new = {"cell": cell, "facing": facing, "out": out, "cooling": cooling, "apples": apples, "time": time}
    events = {"harvest": ate, "sparse": sparse, "kind": kind, "shot": fires, "zap": zap, "trespass": trespass}
    reward = [a + float(rules.trespass) * t for a, t in zip(ate, trespass, strict=True)]
    return new, {"reward": reward, "events": events, "done": time >= rules.horizon or lottery, "regrown": regrown}


# Taboo berries


def block(land, cell, facing, out, length, radius):
    """Who stands in the block of cells ahead of whom; walls do not matter."""
    n = len(cell)
    hits = [[False] * n for _ in range(n)]
    for i in range(n):
        for ahead in range(1, length + 1):
            for right in range(-radius, radius + 1):
                here = spot(land, cell[i], facing[i], ahead, right)
                for j in range(n):
                    hits[i][j] |= j != i and out[i] == 0 and out[j] == 0 and here is not None and int(cell[j]) == here
    return hits


def berries_step(rules, state, action, words):
    """One step of taboo berries with the given random words: a new state, and what happened.

    `rules` is the situation (read for its map and numbers only).  `state` and the result hold plain numbers: cell,
    facing, out, cooling [n]; bush, live [S]; time.  The poison is kept as it is told to people, not as the situation
    keeps it: `first` [n] is the step of the berry that began it, `last` [n] that of the last one; None where none.
    """
    land, n, total, none = rules.land, len(state["cell"]), len(rules.land.sites), len(rules.bushes)
    length, radius = rules.beam
    delay, lasts, now = int(rules.delay), int(rules.lasts), int(state["time"])
    move = [int(a) if o == 0 else 0 for a, o in zip(action, state["out"], strict=True)]

    fires = [m == ZAP and c == 0 for m, c in zip(move, state["cooling"], strict=True)]
    hits = block(land, state["cell"], state["facing"], state["out"], length, radius)
    zap = [[int(fires[i] and hits[i][j]) for j in range(n)] for i in range(n)]
    cooling = [int(rules.cooldown) if f else max(int(c) - 1, 0) for f, c in zip(fires, state["cooling"], strict=True)]

    facing = turn(state["facing"], state["out"], [TURNS.get(m, 0) for m in move])
    quarter = [QUARTERS.get(m, 0) for m in move]
    cell = walk(land, state["cell"], facing, state["out"], [m in QUARTERS for m in move], quarter, words["order"])

    bush, live = state["bush"], list(state["live"])
    where = site(land, cell, state["out"])
    first, last = list(state["first"]), list(state["last"])
    ate, kind, poison, silly, sick, reward = ([0] * n for _ in range(6))
    for i in range(n):
        if first[i] is not None and now > last[i] + delay + lasts:
            first[i] = last[i] = None  # it is over
        sick[i] = int(first[i] is not None and now > first[i] + delay)
        if where[i] < total:
            kind[i] = bush[where[i]]
            if live[where[i]]:
                ate[i], live[where[i]] = 1, False
                poison[i], silly[i] = int(kind[i] == 0), int(kind[i] == 1)
                reward[i] = float(np.float32(rules.berry) * (np.float32(rules.dulled) if sick[i] else np.float32(1)))
        if poison[i]:
            # whoever eats in the last step of the poison goes on being sick; one step later it would begin anew
            first[i] = first[i] if first[i] is not None and now < last[i] + delay + lasts + 1 else now
            last[i] = now

    drawn, rate = chance(words["grow"]), np.float32(rules.regrowth)
    regrown = [bush[s] < none and not live[s] and s not in where and bool(drawn[s] < rate) for s in range(total)]
    live = [a or g for a, g in zip(live, regrown, strict=True)]
    cell, facing, out = respawn(cell, facing, state["out"], words["spawn"], land.sites)

    new = {"cell": cell, "facing": facing, "out": out, "cooling": cooling, "bush": bush, "live": live}
    new |= {"first": first, "last": last, "time": now + 1}
    events = {"harvest": ate, "kind": kind, "poison": poison, "silly": silly, "sick": sick, "shot": fires, "zap": zap}
    return new, {"reward": reward, "events": events, "done": now + 1 >= rules.horizon, "regrown": regrown}


# Clean Up


def cleanup_rate(rules, dirt):
    """The chance of an apple at an empty site of the orchard, in single precision."""
    river = [bool(d) for d, letter in zip(dirt, rules.land.letter, strict=True) if letter in "DS"]
    share = np.float32(sum(river)) / np.float32(len(river))
    top, bottom = np.float32(rules.depletion), np.float32(rules.restoration)
    return np.float32(rules.growth) * min(np.float32(1), (share - top) / (bottom - top))


def cleanup_step(rules, state, action, words):
    """One step of Clean Up, like `harvest_step`; the state has also resting, merit [n] and dirt [S]."""
    land, n, total = rules.land, len(state["cell"]), len(rules.land.sites)
    move = [int(a) if o == 0 else 0 for a, o in zip(action, state["out"], strict=True)]
    out = state["out"]

    facing = turn(state["facing"], out, [TURNS.get(m, 0) for m in move])
    quarter = [QUARTERS.get(m, 0) for m in move]
    cell = walk(land, state["cell"], facing, out, [m in QUARTERS for m in move], quarter, words["order"])

    apples, dirt = [bool(a) for a in state["apples"]], [bool(d) for d in state["dirt"]]
    where = site(land, cell, out)
    ate = [int(w < total and apples[w]) for w in where]
    freeride = [int(a and m == 0) for a, m in zip(ate, state["merit"], strict=True)]
    for w in where:
        if w < total:
            apples[w] = False

    fires = [m == ZAP and c == 0 for m, c in zip(move, state["cooling"], strict=True)]
    hits = reach(land, cell, facing, out, *rules.beam)
    zap = [[int(fires[i] and hits[i][j]) for j in range(n)] for i in range(n)]
    cooling = [int(rules.cooldown) if f else max(int(c) - 1, 0) for f, c in zip(fires, state["cooling"], strict=True)]

    brushes = [m == ZAP + 1 and r == 0 for m, r in zip(move, state["resting"], strict=True)]
    swept = sweep(land, cell, facing, out, dirt, *rules.brush)
    clean, place = [0] * n, rank(words["order"])
    for s in range(total):
        who = [i for i in range(n) if brushes[i] and swept[i][s]]
        if dirt[s] and who:
            clean[min(who, key=lambda i: place[i])] += 1
    washed = [any(brushes[i] and swept[i][s] for i in range(n)) for s in range(total)]
    dirt = [d and not w for d, w in zip(dirt, washed, strict=True)]
    resting = [int(rules.rest) if b else max(int(r) - 1, 0) for b, r in zip(brushes, state["resting"], strict=True)]
    merit = [int(rules.credit) if c else max(int(m) - 1, 0) for c, m in zip(clean, state["merit"], strict=True)]

    rate, drawn = cleanup_rate(rules, dirt), chance(words["grow"])
    grown = [land.letter[s] == "A" and not apples[s] and bool(drawn[s] < rate) for s in range(total)]
    apples = [a or g for a, g in zip(apples, grown, strict=True)]
    soiled = [False] * total
    if int(state["time"]) >= int(rules.calm) and chance(words["dirt"])[0] < np.float32(rules.spawn):
        soil = among(words["where"], [land.letter[s] in "DS" and not dirt[s] for s in range(total)])[0]
        soiled = [s == soil for s in range(total)]
    dirt = [d or s for d, s in zip(dirt, soiled, strict=True)]

    cell, facing, out = respawn(cell, facing, out, words["spawn"], land.find("P"))
    for j in range(n):
        if int(rules.exile) > 0 and any(zap[i][j] for i in range(n)):
            out[j] = int(rules.exile)
    time = int(state["time"]) + 1
    new = {"cell": cell, "facing": facing, "out": out, "cooling": cooling, "resting": resting, "merit": merit}
    new |= {"apples": apples, "dirt": dirt, "time": time}
    events = {"harvest": ate, "kind": [0] * n, "clean": clean, "freeride": freeride, "shot": fires, "zap": zap}
    told = {"reward": ate, "events": events, "done": time >= rules.horizon, "grown": grown, "soiled": soiled}
    return new, told


# Mushrooms

RED, GREEN, BLUE, ORANGE, NONE = range(5)


def mushrooms_share(rules, eater, kind, out):
    """What each agent gets of one mushroom that was eaten."""
    n, worth = len(out), float(rules.worth[kind])
    parts = [0.0] * n
    for j in range(n):
        if out[j] > 0:
            continue
        if kind == RED:
            parts[j] = worth if j == eater else 0.0
        elif kind == BLUE:
            parts[j] = worth / (n - 1) if j != eater else 0.0
        else:
            parts[j] = worth / n
    return parts


def mushrooms_step(rules, state, action, words):
    """One step of Mushrooms, like `harvest_step`; the state has also frozen, hurt [n], bears and age [S]."""
    land, n, total = rules.land, len(state["cell"]), len(rules.land.sites)
    out, bears = state["out"], list(state["bears"])
    move = [int(a) if o == 0 else 0 for a, o in zip(action, out, strict=True)]
    move = [m if f == 0 or m == ZAP else 0 for m, f in zip(move, state["frozen"], strict=True)]

    facing = turn(state["facing"], out, [TURNS.get(m, 0) for m in move])
    quarter = [QUARTERS.get(m, 0) for m in move]
    cell = walk(land, state["cell"], facing, out, [m in QUARTERS for m in move], quarter, words["order"])

    where = site(land, cell, out)
    trodden = [s in where for s in range(total)]
    ate = [int(w < total and bears[w] != NONE) for w in where]
    kind = [bears[w] if a else 0 for w, a in zip(where, ate, strict=True)]
    reward, externality = [0.0] * n, [0.0] * n
    for i in range(n):
        if ate[i]:
            for j, part in enumerate(mushrooms_share(rules, i, kind[i], out)):
                reward[j] += part
                externality[i] += part if j != i else 0.0

    empty = [b == NONE for b in bears]
    most, drawn, counts = max(rules.spores), chance(words["sprout"]), dict.fromkeys(("sprouted", "lost", "blighted"), 0)
    places = among(words["place"], empty)
    new = [NONE] * total
    for i in range(n):
        for spore in range(most):
            for k in range(4):
                word = (i * most + spore) * 4 + k
                if not ate[i] or spore >= rules.spores[kind[i]] or not drawn[word] < np.float32(rules.sprouts[k]):
                    continue
                if not ((kind[i] == ORANGE and k == ORANGE) or (kind[i] != ORANGE and k <= kind[i])):
                    continue
                s = places[word]
                if s < total:
                    counts["lost" if trodden[s] else "sprouted"] += 1
                    if not trodden[s]:
                        new[s] = k if new[s] == NONE else max(new[s], k)

    fires = [m == ZAP and c == 0 for m, c in zip(move, state["cooling"], strict=True)]
    hits = reach(land, cell, facing, out, *rules.beam)
    zap = [[int(fires[i] and hits[i][j]) for j in range(n)] for i in range(n)]
    swept = sweep(land, cell, facing, out, trodden, *rules.beam)
    oranges = sum(a and k == ORANGE for a, k in zip(ate, kind, strict=True))
    spared = np.float32(1 - np.float32(rules.blight)) ** np.float32(oranges)
    age, ages, razed, spoilt = list(state["age"]), [0] * total, 0, 0
    for s in range(total):
        if bears[s] == NONE or trodden[s]:
            bears[s] = NONE
            continue
        lasts = int(rules.spoilage[bears[s]])
        if any(fires[i] and swept[i][s] for i in range(n)):
            razed, bears[s] = razed + 1, NONE
        elif bears[s] == RED and chance(words["blight"])[s] >= spared:
            counts["blighted"], bears[s] = counts["blighted"] + 1, NONE
        elif lasts and age[s] + 1 >= lasts:
            spoilt, bears[s] = spoilt + 1, NONE
        else:
            ages[s] = age[s] + 1
    bears = [k if b == NONE else b for b, k in zip(bears, new, strict=True)]

    cooling = [int(rules.cooldown) if f else max(int(c) - 1, 0) for f, c in zip(fires, state["cooling"], strict=True)]
    frozen = [max(int(f) - 1, 0) for f in state["frozen"]]
    frozen = [int(rules.digestion[k]) if a else f for a, k, f in zip(ate, kind, frozen, strict=True)]
    hurt = [max(int(h) - 1, 0) for h in state["hurt"]]
    cell, facing, out = respawn(cell, facing, out, words["spawn"], land.sites)
    for j in range(n):
        if not any(zap[i][j] for i in range(n)):
            continue
        if state["hurt"][j] == 0:
            frozen[j], hurt[j] = max(frozen[j], int(rules.stun)), int(rules.recovery)
            cooling[j] = max(cooling[j], int(rules.stun))
        else:
            hurt[j] = 0
            if int(rules.exile) > 0:
                out[j], frozen[j] = int(rules.exile), 0

    time = int(state["time"]) + 1
    fresh = {"cell": cell, "facing": facing, "out": out, "cooling": cooling, "frozen": frozen, "hurt": hurt}
    fresh |= {"bears": bears, "age": ages, "time": time}
    events = {"harvest": ate, "kind": kind, "externality": externality, "shot": fires, "zap": zap}
    told = {"reward": reward, "events": events, "done": time >= rules.horizon}
    return fresh, told | counts | {"razed": razed, "spoilt": spoilt}


# Allelopathic Harvest


def allelopathic_step(rules, state, action, words):
    """One step of Allelopathic Harvest with the given random words; `state` holds plain numbers, as in its State."""
    land, n, total = rules.land, len(state["cell"]), len(rules.land.sites)
    grey, single = 3, np.float32
    taste = [rules.tastes[i % len(rules.tastes)] for i in range(n)]
    move = []
    for i in range(n):
        idle = state["out"][i] > 0 or (state["frozen"][i] > 0 and action[i] <= ZAP)
        move.append(0 if idle else int(action[i]))
    facing = turn(state["facing"], state["out"], [TURNS.get(m, 0) for m in move])
    quarter = [QUARTERS.get(m, 0) for m in move]
    cell = walk(land, state["cell"], facing, state["out"], [m in QUARTERS for m in move], quarter, words["order"])

    bush, ripe, worn = list(state["bush"]), list(state["ripe"]), list(state["worn"])
    before = [sum(b == k for b in bush) for k in range(3)]
    where, bare = site(land, cell, state["out"]), chance(words["bare"])
    ate, kind, reward, changed = [0] * n, [0] * n, [0.0] * n, set()
    for i in range(n):
        s = where[i]
        if s == total:
            continue
        kind[i] = bush[s]
        if state["ripe"][s] and cell[i] != state["cell"][i]:
            ate[i], ripe[s] = 1, False
            changed.add(s)
            reward[i] += float(rules.sweet) if kind[i] == taste[i] else float(rules.plain)
            if bare[i] >= single(max(before)) / single(total):
                worn[i] = grey

    met, planted, taken = foremost(land, cell, facing, state["out"], rules.spade), [0] * n, set()
    place = rank(words["order"])
    for i in sorted(range(n), key=lambda i: place[i]):
        colour, s = move[i] - 8, met[i]
        if colour < 0 or state["resowing"][i] > 0 or s == total or s in taken:
            continue
        taken.add(s)
        if not ripe[s] and bush[s] != colour:
            planted[i], worn[i], bush[s] = 1, colour, colour
            changed.add(s)
        elif not ripe[s] and bool(rules.repaint):
            worn[i] = colour

    counts, drawn, wait = [sum(b == k for b in bush) for k in range(3)], chance(words["grow"]), list(state["wait"])
    for s in range(total):
        wait[s] = int(rules.rest) if s in changed else max(wait[s] - 1, 0)
        rate = single(rules.tempo) * single(rules.ripening) * (single(counts[bush[s]]) / single(total))
        if s not in changed and wait[s] == 0 and not ripe[s] and drawn[s] < rate:
            ripe[s] = True

    fires = [m == ZAP and c == 0 for m, c in zip(move, state["cooling"], strict=True)]
    hits = reach(land, cell, facing, state["out"], *rules.beam)
    zap = [[int(fires[i] and hits[i][j]) for j in range(n)] for i in range(n)]
    cooling = [int(rules.cooldown) if f else max(c - 1, 0) for f, c in zip(fires, state["cooling"], strict=True)]
    sown = [m > ZAP and r == 0 for m, r in zip(move, state["resowing"], strict=True)]
    resowing = [int(rules.sowing) if s else max(r - 1, 0) for s, r in zip(sown, state["resowing"], strict=True)]

    worn = [grey if o > 0 else w for w, o in zip(worn, state["out"], strict=True)]
    cell, facing, out = respawn(cell, facing, state["out"], words["spawn"], land.find("."))
    marked, frozen = ([max(x - 1, 0) for x in state[name]] for name in ("marked", "frozen"))
    for j in range(n):
        if bool(rules.graduated) and any(zap[i][j] for i in range(n)):
            if marked[j] > 0:
                reward[j] -= float(rules.fine)
                marked[j], frozen[j] = 0, 0
                out[j] = int(rules.exile) or out[j]
            else:
                marked[j], frozen[j] = int(rules.recovery), int(rules.freeze)
    here = [o == 0 for o in out]
    new = {"cell": cell, "facing": facing, "out": out, "cooling": cooling, "resowing": resowing, "bush": bush}
    new |= {"ripe": ripe, "wait": wait, "worn": worn, "marked": marked, "frozen": frozen, "time": state["time"] + 1}
    events = {"harvest": ate, "kind": kind, "planted": planted, "worn": here, "colour": worn, "shot": fires, "zap": zap}
    events["frozen"] = [f > 0 for f in state["frozen"]]
    return new, {"reward": reward, "events": events, "done": new["time"] >= rules.horizon}
