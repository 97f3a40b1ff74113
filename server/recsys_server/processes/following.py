"""The bundles of a worker follow those of the folder: the current one, and the canary.

A new bundle is loaded next to the old one, compared with its reference queries, and replaces it in
one assignment. One that cannot be served is refused, and the old one answers on.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from recsys.bundle import (
    Canary,
    pointers_state,
    previous_version,
    read_canary,
    rollback,
    set_canary,
)
from recsys.bundle.versions import CURRENT, find_version
from recsys.errors import BundleError, ConfigError, RecsysError
from recsys_server.processes.loading import collect_released
from recsys_server.rollout import Deployment, LoadedBundle, Rollout

POLL_SECONDS = 0.5
"""Time between two looks at the folder."""
RELEASE_SECONDS = 5.0
"""Time after a change after which the memory of the old bundle is collected."""
_log = logging.getLogger("recsys_server.bundles")


class BundleFollower:
    """Keeps a rollout at what the folder of bundles says, and changes what it says.

    Methods block while a bundle is loaded, and may be called by any number of threads.

    Args:
        root: Folder of bundles.
        rollout: Rollout that is kept.
        load: Opens a bundle by its version.
        version: "current", or the only version that is ever served.

    Attributes:
        refused: Reason by version for each bundle that could not be served.
    """

    def __init__(
        self,
        root: Path,
        rollout: Rollout,
        load: Callable[[str], LoadedBundle],
        *,
        version: str = CURRENT,
    ) -> None:
        self.root = root
        self.rollout = rollout
        self.refused: dict[str, str] = {}
        self._load = load
        self._follows = version == CURRENT
        self._state: object = None
        self._lock = threading.Lock()

    @classmethod
    def begin(
        cls,
        root: Path,
        load: Callable[[str], LoadedBundle],
        *,
        version: str = CURRENT,
        fallback: str | None = None,
    ) -> BundleFollower:
        """A follower whose rollout has the bundles that the folder names.

        Args:
            root: Folder of bundles.
            load: Opens a bundle by its version.
            version: "current", or the only version that is ever served.
            fallback: Version to serve where the current one cannot be, for a worker that replaces
                another one.

        Raises:
            RecsysError: Neither can be served.
        """
        try:
            first, refused = load(version), ""
        except RecsysError as error:
            if fallback is None or version != CURRENT:
                raise
            first, refused = load(fallback), error.message
        follower = cls(root, Rollout(Deployment(first)), load, version=version)
        if refused:
            follower._refuse(find_version(root, CURRENT), refused)
        follower.follow()
        return follower

    def follow(self) -> bool:
        """Serve what the folder names, if that has changed; returns whether anything changed."""
        if not self._follows or pointers_state(self.root) == self._state:
            return False
        with self._lock:
            return self._follow()

    def activate(self, version: str) -> str:
        """Make a bundle the current one, after it has been loaded here; returns the previous one.

        Raises:
            NotFoundError: The bundle does not exist.
            BundleError: It cannot be served; the current one stays.
            ConfigError: The service was started with a version.
        """
        self._check_follows()
        with self._lock:
            loaded = self._loaded(find_version(self.root, version))
            rollback(self.root, to=loaded.version)
            return self._activated(loaded)

    def roll_back(self) -> str:
        """Activate the bundle that was current before, as :meth:`activate` does.

        Each rollback goes one activation further back.

        Raises:
            NotFoundError: No bundle was current before.
            BundleError, ConfigError: As for :meth:`activate`.
        """
        self._check_follows()
        with self._lock:
            loaded = self._loaded(previous_version(self.root))
            if (now := rollback(self.root)) != loaded.version:  # another process was faster
                loaded = self._loaded(now)
            return self._activated(loaded)

    def _activated(self, loaded: LoadedBundle) -> str:
        """Let the current bundle of the folder answer; returns the version that did before."""
        before = self.rollout.current.active.version
        self._swap(loaded, self._canary())
        self._state = pointers_state(self.root)
        return before

    def set_canary(self, canary: Canary | None) -> None:
        """Let a bundle answer a share of the users, after it has been loaded here; None ends it.

        Raises:
            NotFoundError: The bundle does not exist.
            BundleError: It cannot be served; the canary stays as it was.
            ConfigError: The service was started with a version.
        """
        self._check_follows()
        with self._lock:
            served: tuple[LoadedBundle | None, float] = (None, 0.0)
            if canary is not None:
                loaded = self._loaded(find_version(self.root, canary.version))
                served = (loaded, canary.share)
            set_canary(self.root, canary)
            self._swap(self.rollout.current.active, served)
            self._state = pointers_state(self.root)

    async def run(self, executor: ThreadPoolExecutor) -> None:
        """Follow the folder until it is cancelled; an error is logged and ends nothing."""
        loop = asyncio.get_running_loop()
        served = self.rollout.current.active.version
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                if self._follows and pointers_state(self.root) != self._state:
                    await loop.run_in_executor(executor, self.follow)
            except Exception:
                _log.exception("the folder of bundles could not be followed")
            if self.rollout.current.active.version != served:
                served = self.rollout.current.active.version
                loop.call_later(RELEASE_SECONDS, executor.submit, collect_released)

    def _follow(self) -> bool:
        state, before = pointers_state(self.root), self.rollout.current
        active = before.active
        try:
            active = self._loaded(find_version(self.root, CURRENT))
        except RecsysError as error:
            _log.error("bundle %s answers on: %s", active.version, error.message)
        self._swap(active, self._canary())
        self._state = state  # only now: a change in the meantime is seen by the next look
        return self.rollout.current is not before

    def _canary(self) -> tuple[LoadedBundle | None, float]:
        """The canary that the folder names; the present one where that cannot be served."""
        current = self.rollout.current
        try:
            named = read_canary(self.root)
            if named is None:
                return None, 0.0
            return self._loaded(find_version(self.root, named.version)), named.share
        except RecsysError as error:
            _log.error("the canary stays as it was: %s", error.message)
            return current.canary, current.share

    def _loaded(self, version: str) -> LoadedBundle:
        """A bundle, loaded unless it is already."""
        current = self.rollout.current
        for each in (current.active, current.canary):
            if each is not None and each.version == version:
                return each
        try:
            loaded = self._load(version)
        except RecsysError as error:
            self._refuse(version, error.message)
            raise
        except Exception as error:
            self._refuse(version, f"{type(error).__name__}: {error}")
            raise BundleError(f"the bundle {version} cannot be loaded: {error}") from error
        self.refused.pop(version, None)
        return loaded

    def _refuse(self, version: str, reason: str) -> None:
        self.refused[version] = reason
        _log.error("bundle %s is refused: %s", version, reason)

    def _swap(self, active: LoadedBundle, canary: tuple[LoadedBundle | None, float]) -> None:
        before = self.rollout.current
        bundle, share = canary
        if bundle is None or bundle is active:
            bundle, share = None, 0.0
        if (active, bundle, share) == (before.active, before.canary, before.share):
            return
        self.rollout.current = Deployment(active, bundle, share)
        if active is not before.active:
            _log.info("bundle %s answers instead of %s", active.version, before.active.version)
        if bundle is not None:
            _log.info("bundle %s answers %g%% of the users", bundle.version, 100 * share)
        elif before.canary is not None:
            _log.info("no canary answers any more")

    def _check_follows(self) -> None:
        if not self._follows:
            raise ConfigError(
                "the service was started with a version, which it serves until it ends; start it"
                " without --version",
                field="version",
            )
