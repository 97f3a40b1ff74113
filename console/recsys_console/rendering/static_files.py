"""The static files of the pages, held in memory."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class StaticFiles:
    """An ASGI application of the files of a folder, which are read once.

    Browsers keep them: their addresses change with their content.

    Args:
        folder: Folder; files in folders below it are served as well.
    """

    def __init__(self, folder: Path) -> None:
        self._files = {
            f"/{path.relative_to(folder).as_posix()}": (
                path.read_bytes(),
                mimetypes.guess_type(path.name)[0],
            )
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            HTTPException: There is no such file, or the method does not read.
        """
        found = self._files.get(scope["path"].removeprefix(scope["root_path"]))
        if found is None:
            raise HTTPException(404)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        await Response(found[0], headers=headers, media_type=found[1])(scope, receive, send)
