"""Random commands of every family that writes, over a small space of keys, so that they meet."""

import json

KEYS = 40  # of each kind
WORDS = ["red", "green", "blue", "", "a b", "aä€", "x" * 200, "0", "-1", "line\nbreak", "tab\t", "'quoted\""]


class Operations:
    """chance is a random.Random; each operation is a list of commands to send one after the other."""

    def __init__(self, chance):
        self.chance = chance
        self.families = [self.hashes, self.hashes, self.parts, self.strings, self.documents, self.lists, self.sets,
                         self.sorted_sets, self.streams, self.keys, self.expiry, self.visits, self.forms, self.bills,
                         self.seats, self.slots]
        self.n_visits = 0
        self.may_expire = set()  # visits that ever had a time to live

    def next(self):
        roll = self.chance.random()
        if roll < 0.06:
            body = [command for _ in range(self.chance.randint(1, 5)) for command in self.plain()]
            return [["MULTI"], *body, ["EXEC"]]
        if roll < 0.10:
            return [self.script()]
        if roll < 0.13:  # the same names in another database are other keys
            return [["SELECT", 1], *self.plain(), ["SELECT", 0]]
        return self.plain()

    def plain(self):
        return [self.chance.choice(self.families)()]

    # ---- what commands are made of ----

    def key(self, kind):
        return f"{kind}:{self.chance.randrange(KEYS)}"

    def word(self):
        return self.chance.choice(WORDS) + str(self.chance.randrange(20))

    def number(self):
        return self.chance.randrange(-100, 1000)

    def pick(self, *commands):
        return self.chance.choice(commands)

    # ---- families ----

    def hashes(self):
        key, field = self.key("thing"), self.chance.choice("abn")
        return self.pick(
            ["HSET", key, field, self.word()], ["hset", key, "a", self.word(), "b", self.word()],
            ["HMSET", key, "a", self.word()], ["HSETNX", key, field, self.word()], ["HDEL", key, field],
            ["HINCRBY", key, "m", self.number()], ["HINCRBYFLOAT", key, "f", "1.5"], ["HSET", key, "n", self.number()])

    def parts(self):
        key = self.key("part")
        return self.pick(["HSET", key, "thing", str(self.chance.randrange(KEYS)), "v", self.word()],
                         ["HSET", key, "thing", str(self.chance.randrange(KEYS))], ["DEL", key])

    def strings(self):
        key, other = self.key("note"), self.key("note")
        return self.pick(
            ["SET", key, self.word()], ["SETEX", key, self.chance.randint(1, 3), self.word()],
            ["PSETEX", key, self.chance.randint(5, 900), self.word()], ["SETNX", key, self.word()],
            ["GETSET", key, self.word()], ["APPEND", key, "+"], ["SETRANGE", key, 0, "Z"], ["GETDEL", key],
            ["GETEX", key, "PX", self.chance.randint(5, 900)], ["MSET", key, self.word(), other, self.word()],
            ["MSETNX", key, self.word(), other, self.word()], ["SET", key, self.word(), "KEEPTTL"], ["INCR", key],
            ["SET", key, self.word(), "PX", self.chance.randint(5, 900)], ["INCRBYFLOAT", key, "0.5"], ["DECRBY", key, 3])

    def documents(self):
        items = [{"v": self.chance.choice(["one", "two", "three"])} for _ in range(self.chance.randrange(6))]
        return self.pick(["SET", self.key("doc"), json.dumps({"items": items})], ["DEL", self.key("doc")])

    def lists(self):
        key, other = self.key("steps"), self.key("steps")
        return self.pick(
            ["LPUSH", key, self.word(), self.word()], ["RPUSH", key, self.word()], ["LPOP", key], ["RPOP", key, 2],
            ["LSET", key, 0, self.word()], ["LINSERT", key, "BEFORE", "red1", self.word()], ["LREM", key, 0, self.word()],
            ["LTRIM", key, 0, 5], ["LMOVE", key, other, "LEFT", "RIGHT"], ["RPOPLPUSH", key, other],
            ["LMPOP", 2, key, other, "LEFT"], ["RPUSHX", key, self.word()], ["SORT", key, "ALPHA", "STORE", other])

    def sets(self):
        key, other, third = self.key("tags"), self.key("tags"), self.key("tags")
        return self.pick(
            ["SADD", key, self.word(), self.word()], ["SREM", key, self.word()], ["SPOP", key], ["SPOP", key, 3],
            ["SMOVE", key, other, self.word()], ["SUNIONSTORE", key, other, third], ["SINTERSTORE", key, other, third],
            ["SDIFFSTORE", key, other, third], ["SADD", key, *[f"m{i}" for i in range(self.chance.randrange(1, 30))]])

    def sorted_sets(self):
        key, other, third = self.key("rank"), self.key("rank"), self.key("rank")
        return self.pick(
            ["ZADD", key, self.number(), self.word()], ["ZINCRBY", key, "0.5", self.word()], ["ZREM", key, self.word()],
            ["ZPOPMIN", key], ["ZPOPMAX", key, 2], ["ZREMRANGEBYRANK", key, 0, 1], ["ZREMRANGEBYSCORE", key, 0, 50],
            ["ZUNIONSTORE", key, 2, other, third], ["ZINTERSTORE", key, 2, other, third],
            ["ZDIFFSTORE", key, 2, other, third], ["ZRANGESTORE", key, other, 0, 3], ["ZMPOP", 1, key, "MIN"],
            ["GEOADD", key, "13.36", "38.11", "Palermo"],
            ["GEOSEARCHSTORE", key, other, "FROMLONLAT", 15, 37, "BYRADIUS", 200, "km"])

    def streams(self):
        key = self.key("ev")
        return self.pick(["XADD", key, "*", "k", self.word()], ["XADD", key, "MAXLEN", 5, "*", "k", self.word()],
                         ["XTRIM", key, "MAXLEN", 3], ["XGROUP", "CREATE", key, "g", "$", "MKSTREAM"],
                         ["XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", key, ">"], ["XSETID", key, "9999999999999-1"])

    def keys(self):
        kind = self.chance.choice(["thing", "note", "doc", "steps", "tags", "rank"])
        key, other = self.key(kind), self.key(kind)
        return self.pick(["DEL", key, other], ["UNLINK", key], ["RENAME", key, other], ["RENAMENX", key, other],
                         ["COPY", key, other, "REPLACE"], ["COPY", key, other, "DB", 1, "REPLACE"], ["MOVE", key, 1],
                         ["RENAME", key, "tmp:1"], ["RENAME", "tmp:1", "tmp:2"], ["COPY", key, "tmp:2"])

    def expiry(self):
        key = self.key(self.chance.choice(["thing", "note", "doc", "steps", "tags", "rank", "ev"]))
        return self.pick(["EXPIRE", key, 1], ["PEXPIRE", key, self.chance.randint(1, 500)], ["PERSIST", key],
                         ["PEXPIRE", key, -1], ["EXPIREAT", key, 1], ["EXPIRE", key, 1000])

    def script(self):
        key, other = self.key("thing"), self.key("note")
        return ["EVAL", "redis.call('HSET', KEYS[1], 'a', ARGV[1]) redis.call('SET', KEYS[2], ARGV[1])"
                        " return redis.call('DEL', KEYS[3])", 3, key, other, self.key("doc"), self.word()]

    def visits(self):
        """Each name is used once: it is deleted, or expires, or stays."""
        if self.n_visits == 0 or self.chance.random() < 0.5:
            self.n_visits += 1
            return ["HSET", f"visit:{self.n_visits}", "v", self.word()]
        name = self.chance.randint(max(1, self.n_visits - 50), self.n_visits)
        if self.chance.random() < 0.5:
            return ["DEL", f"visit:{name}"]
        self.may_expire.add(str(name))
        return ["PEXPIRE", f"visit:{name}", self.chance.randint(1, 800)]

    def forms(self):
        key = self.key("form")
        return self.pick(["HSET", key, "must", self.word(), "v", self.word()], ["HSET", key, "v", self.word()],
                         ["HDEL", key, "must"], ["HSET", key, "must", self.word()], ["DEL", key])

    def bills(self):
        key, state = self.key("bill"), self.chance.choice(["open", "open", "paid"])
        return self.pick(["HSET", key, "state", state, "v", self.word()], ["HSET", key, "state", state],
                         ["HDEL", key, "state"], ["DEL", key], ["PEXPIRE", key, 300])

    def seats(self):
        key, badge = self.key("seat"), f"b{self.chance.randrange(KEYS)}"
        return self.pick(["HSET", key, "badge", badge], ["HSET", key, "badge", badge, "v", self.word()],
                         ["HDEL", key, "badge"], ["DEL", key], ["RENAME", key, self.key("seat")])

    def slots(self):
        key, owner = self.key("slot"), f"o{self.chance.randrange(KEYS)}"
        return self.pick(["HSET", key, "owner", owner], ["HSET", key, "owner", owner, "v", self.word()],
                         ["HSET", key, "seal", f"s{self.chance.randrange(KEYS)}"], ["HDEL", key, "seal"], ["DEL", key],
                         ["RENAME", key, self.key("slot")])
