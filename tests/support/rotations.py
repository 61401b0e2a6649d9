"""A world to rotate keys in: a real server behind an edge that can fail, a clock, agents, and a disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any

import httpx
import pytest

from spectronctl.api import contexts, identity
from spectronctl.api import keys as api
from spectronctl.client import Client
from spectronctl.errors import AuthError, SpectronctlError
from spectronctl.models.keys import Key, MintedKey, split_name
from spectronctl.operations.rotations import Method, Rotation, Rotator, check_plan, plan_rotation
from tests.support.faults import Fault
from tests.support.server import Server

URL = "http://spectron.test"
FLOOR = {"org": "acme"}
DRAIN = 300.0
OVERLAP = 3600.0

_NUMBERS = count()


class CrashError(BaseException):
    """The process ends here."""


@dataclass
class Clock:
    """The time of everybody but the server's store; `skew` is how far the server's clock is ahead."""

    ahead: timedelta = timedelta()
    skew: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **lengths: float) -> None:
        self.ahead += timedelta(**lengths)


class Edge(httpx.BaseTransport):
    """
    The way to the server. `faults` answers requests by their number, counted in `asked`.

    Uses of keys are noted in the time of `clock`, to the minute, as a server would.
    """

    def __init__(self, server: Server, clock: Clock, tick: Callable[[str], None]) -> None:
        self.server = server
        self.clock = clock
        self.tick = tick
        self.asked: list[str] = []
        self.faults: dict[int, Fault] = {}
        self.noted: dict[str, datetime] = {}
        self.secrets: list[str] = []
        self.before: Callable[[httpx.Request], None] = lambda _: None
        self.after: Callable[[httpx.Request], None] = lambda _: None
        self.rewrite: Callable[[dict[str, Any]], None] = lambda _: None
        self.changes: dict[str, Any] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        title = f"{request.method} {request.url.path.rpartition('/')[2]}"
        fault = self.faults.get(len(self.asked))
        self.asked.append(title)
        self.tick(f"before {title}")
        if fault:
            return fault(request, _Inner(self))
        answer = self.forward(request)
        self.tick(f"after {title}")
        return answer

    def forward(self, request: httpx.Request) -> httpx.Response:
        self.before(request)
        answer = self.server.handle_request(request)
        body = answer.read()
        document = json.loads(body) if body else {}
        if request.url.path.endswith("/me") and answer.is_success:
            self.note(document["keyName"])
        self.secrets += [document["secret"]] if "secret" in document else []
        document |= {name: self.changes[name] for name in self.changes if name in document}
        for key in document.get("keys", []):
            noted = self.noted.get(key["name"])
            key["last_used_at"] = (noted + self.clock.skew).isoformat() if noted else None
            self.rewrite(key)
        self.after(request)
        date = format_datetime(datetime.now(UTC) + self.clock.skew, usegmt=True)
        content = json.dumps(document).encode() if body else b""
        return httpx.Response(answer.status_code, headers={"Date": date}, content=content)

    def note(self, name: str) -> None:
        now = self.clock.now()
        if name not in self.noted or now - self.noted[name] >= timedelta(minutes=1):
            self.noted[name] = now


@dataclass
class _Inner(httpx.BaseTransport):
    edge: Edge

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.edge.forward(request)


@dataclass
class Place:
    """Where a secret goes, and the agents that live on it; `refuses` makes every delivery fail."""

    world: World
    name: str
    holds: str
    deliveries: int = 0
    refuses: Exception | None = None

    def __call__(self, minted: MintedKey) -> None:
        world = self.world
        world.log.append(f"deliver {minted.name} to {self.name}")
        world.tick(f"before {self.name}")
        if self.refuses:
            raise self.refuses
        self.holds = minted.secret
        self.deliveries += 1
        world.check()
        world.tick(f"amid {self.name}")


@dataclass
class World:
    """One context with the key `agent`, whose secret every place holds, and a key that is none of our business."""

    server: Server
    method: Method = "overlap"
    places: int = 1
    retries: int = 0
    lifetime: int | None = None
    name: str = "agent"
    clock: Clock = field(default_factory=Clock)
    log: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    crashes: list[int] = field(default_factory=list)
    stop: str | None = None
    used: dict[str, datetime] = field(default_factory=dict)
    grants: bool = True

    def __post_init__(self) -> None:
        self.context = f"c{next(_NUMBERS)}"
        self.operator = Client(URL, api_key=self.server.key, transport=self.server)
        self.operator.send(
            contexts.create_context(self.context, namespace=self.context, database="d")
        )
        self.old = self.mint(self.name)
        self.other = self.mint("other")
        self.edge = Edge(self.server, self.clock, self.tick)
        self.edge.secrets += [self.old.secret, self.other.secret]
        self.edge.before = self.guard
        self.edge.after = lambda request: self.check() if request.method != "GET" else None
        self.client = Client(
            URL, api_key=self.server.key, transport=self.edge, retries=self.retries
        )
        self.shelf = [Place(self, f"place {n}", self.old.secret) for n in range(self.places)]
        self.rotation = self.plan()

    def mint(self, name: str, **settings: Any) -> MintedKey:
        settings = {"scope_floor": FLOOR, "expires_in": self.lifetime, **settings}
        return self.operator.send(api.create_key(self.context, name, **settings))

    def list_keys(self) -> list[Key]:
        return list(self.operator.items(api.list_keys(self.context)))

    def live(self) -> list[str]:
        return [key.name for key in self.list_keys() if key.name != "other"]

    def find(self, name: str) -> Key:
        (key,) = (key for key in self.list_keys() if key.name == name)
        return key

    def plan(self, key: Key | None = None, **settings: Any) -> Rotation:
        settings = {"overlap": OVERLAP, "drain": DRAIN, **settings}
        key = key or self.old.without_secret()
        rotation = plan_rotation(
            key,
            self.list_keys(),
            url=URL,
            context=self.context,
            method=self.method,
            places=[{"name": place.name} for place in self.shelf],
            now=self.clock.now(),
            **settings,
        )
        check_plan(rotation, key, self.clock.now())
        if self.grants:
            caller = self.operator.with_key(self.old.secret)
            rotation.grants = caller.send(identity.get_identity(self.context)).effective_grants
        return rotation

    def tick(self, point: str) -> None:
        """Somewhere a process may end."""
        self.points.append(point)
        if point == self.stop:
            self.stop = None
            raise CrashError(point)
        if self.crashes and len(self.points) > self.crashes[0]:
            self.points.clear()
            self.crashes.pop(0)
            raise CrashError(point)

    def save(self, rotation: Rotation) -> None:
        self.tick(f"before save {rotation.step}")
        document = json.dumps(rotation.to_dict())
        assert not [secret for secret in self.edge.secrets if secret in document]
        self.documents.append(document)
        self.log.append(f"save {rotation.step}")
        self.tick(f"after save {rotation.step}")

    def make_rotator(self, **options: Any) -> Rotator:
        return Rotator(self.client, self.save, now=self.clock.now, uptime=lambda: None, **options)

    def run(self) -> Rotation:
        """One process: it reads what the last one wrote, and goes as far as it can."""
        if self.documents:
            self.rotation = Rotation.from_dict(json.loads(self.documents[-1]))
        self.make_rotator().run(self.rotation, self.shelf)
        return self.rotation

    def run_up_to(self, point: str) -> None:
        """A process that ends there."""
        self.stop = point
        with pytest.raises(CrashError, match=point):
            self.run()
        self.rotation = Rotation.from_dict(json.loads(self.documents[-1]))

    def finish(self, runs: int = 12) -> None:
        """Resume until it is over, as cron does."""
        for _ in range(runs):
            try:
                rotation = self.run()
            except (SpectronctlError, CrashError):
                continue
            if not rotation.is_open:
                return
            self.skip_to_due()
        raise AssertionError(f"still {self.rotation.step} after {runs} runs: {self.rotation.error}")

    def skip_to_due(self) -> None:
        assert self.rotation.step == "waiting"
        assert self.rotation.due_at
        due = (
            datetime.fromisoformat(self.rotation.due_at) - self.clock.skew
        )  # by the server's clock
        self.clock.ahead += max(timedelta(), due - self.clock.now()) + timedelta(seconds=1)

    def works(self, secret: str) -> bool:
        """Whether an agent gets through with that secret; it counts as a use."""
        try:
            me = self.operator.with_key(secret).send(identity.get_identity(self.context))
        except AuthError:
            return False
        self.used[me.key_name or ""] = self.clock.now()
        self.edge.note(me.key_name or "")
        return True

    def check(self) -> None:
        """What holds after every action: an agent is never cut off by a rotation that promises not to."""
        if self.method == "overlap":
            self.check_agents(self.shelf)
        elif self.method == "leaked":
            self.check_agents(place for place in self.shelf if place.deliveries)

    def check_agents(self, places: Iterable[Place]) -> None:
        for place in places:
            assert self.works(place.holds), f"{place.name} is cut off after {self.log}"

    def guard(self, request: httpx.Request) -> None:
        """Before the server does it: no key is deleted while it is used."""
        target = request.url.path.rpartition("/")[2]
        names = {key.id: key.name for key in self.list_keys()} if target.startswith("cak") else {}
        self.log.append(f"{request.method} {names.get(target, target)}")
        if request.method == "DELETE" and target in names:
            name = names[target]
            if name == self.old.name and self.method == "leaked":
                return
            used = self.used.get(name)
            idle = self.clock.now() - used if used else timedelta.max
            assert idle >= timedelta(seconds=DRAIN), f"{name} was used {idle} ago"

    def check_end(self) -> None:
        """What holds once it is over."""
        assert self.rotation.step == "done"
        (left,) = self.live()
        assert split_name(left)[0] == self.name
        self.check_agents(self.shelf)
        assert all(place.deliveries for place in self.shelf)
        assert self.works(self.other.secret)
        assert self.find(left).scope_floor == FLOOR
