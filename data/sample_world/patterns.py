"""Ten patterns that fill the background of a picture; `pictures` combines them with motifs."""

from __future__ import annotations

import math

from .canvas import Canvas


def bands(canvas: Canvas) -> None:
    top, height = canvas.between(0.35, 0.6), canvas.between(0.08, 0.14)
    for count, y in enumerate(range(top, canvas.side, height)):
        ink = canvas.inks[1 + count % 2]
        canvas.draw.rectangle((0, y, canvas.side, y + height - 1), fill=ink)


def peaks(canvas: Canvas) -> None:
    for ink, low in ((canvas.inks[3], 0.35), (canvas.inks[1], 0.5)):
        base = canvas.side
        for _ in range(3):
            x, y, half = canvas.between(0, 1), canvas.between(low, low + 0.2), base // 3
            canvas.draw.polygon([(x, y), (x - half, base), (x + half, base)], fill=ink)


def chips(canvas: Canvas) -> None:
    for count in range(int(canvas.rng.integers(16, 26))):
        x, y = canvas.point(0.0)
        radius, turn = canvas.between(0.03, 0.08), canvas.rng.uniform(0, math.pi)
        corners = int(canvas.rng.integers(3, 6))
        canvas.ngon(x, y, radius, corners, canvas.inks[1 + count % 3], turn)


def gingham(canvas: Canvas) -> None:
    step = canvas.between(0.09, 0.15)
    start = -canvas.between(0, 0.15)
    edges = range(start, canvas.side, 2 * step)
    for x in edges:
        canvas.draw.rectangle((x, 0, x + step - 1, canvas.side), fill=canvas.inks[1])
    for y in edges:
        canvas.draw.rectangle((0, y, canvas.side, y + step - 1), fill=canvas.inks[1])
    for x in edges:
        for y in edges:
            box = (x, y, x + step - 1, y + step - 1)
            canvas.draw.rectangle(box, fill=canvas.inks[2])


def stars(canvas: Canvas) -> None:
    for _ in range(int(canvas.rng.integers(14, 26))):
        x, y = canvas.point(0.0)
        canvas.disc(x, y, canvas.between(0.008, 0.025), canvas.inks[3])


def blades(canvas: Canvas) -> None:
    for _ in range(int(canvas.rng.integers(14, 22))):
        x, lean = canvas.between(0, 1), canvas.between(-0.12, 0.12)
        top, half = canvas.between(0.3, 0.75), canvas.between(0.02, 0.04)
        foot = [(x - half, canvas.side), (x + half, canvas.side)]
        canvas.draw.polygon([*foot, (x + lean, top)], fill=canvas.inks[1])


def zigzags(canvas: Canvas) -> None:
    step, rise = canvas.between(0.09, 0.14), canvas.between(0.06, 0.1)
    for line, y in enumerate(range(canvas.between(0, 0.15), canvas.side, 3 * rise)):
        xs = range(-step, canvas.side + step, step)
        points = [(x, y + rise * (index % 2)) for index, x in enumerate(xs)]
        canvas.draw.line(points, fill=canvas.inks[1 + line % 2], width=canvas.side // 24)


def fans(canvas: Canvas) -> None:
    radius = canvas.between(0.14, 0.2)
    start = -canvas.between(0, 0.2)
    for row, y in enumerate(range(start, canvas.side + 2 * radius, radius)):
        for x in range(start - radius * (row % 2), canvas.side + radius, 2 * radius):
            canvas.disc(x, y, radius, canvas.inks[0])
            canvas.ring(x, y, radius, canvas.inks[2], canvas.side // 64)
            canvas.ring(x, y, 2 * radius // 3, canvas.inks[1], canvas.side // 48)


def waves(canvas: Canvas) -> None:
    rise, length = canvas.between(0.025, 0.045), canvas.rng.uniform(0.3, 0.5) * canvas.side
    for line, top in enumerate(range(canvas.between(0.3, 0.5), canvas.side, 4 * rise)):
        slide = canvas.rng.uniform(0, 2 * math.pi)
        crest = [
            (x, top + round(rise * math.sin(slide + 2 * math.pi * x / length)))
            for x in range(0, canvas.side + 4, 4)
        ]
        corners = [(canvas.side + 4, canvas.side), (0, canvas.side)]
        canvas.draw.polygon(crest + corners, fill=canvas.inks[1 + line % 2])


def dots(canvas: Canvas) -> None:
    step = canvas.between(0.12, 0.18)
    radius = step // 4
    for row, y in enumerate(range(canvas.between(0, 0.1), canvas.side + step, step)):
        for x in range(-(step // 2) * (row % 2), canvas.side + step, step):
            canvas.disc(x, y, radius, canvas.inks[1])
