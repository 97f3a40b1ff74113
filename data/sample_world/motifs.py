"""Ten motifs, each drawn over a pattern; `pictures` combines them."""

from __future__ import annotations

import math

from .canvas import Canvas, around


def sun(canvas: Canvas) -> None:
    x, y, radius = canvas.between(0.3, 0.7), canvas.between(0.25, 0.42), canvas.between(0.13, 0.2)
    canvas.disc(x, y, radius + canvas.side // 24, canvas.inks[3])
    canvas.disc(x, y, radius, canvas.inks[2])


def firs(canvas: Canvas) -> None:
    for _ in range(int(canvas.rng.integers(2, 5))):
        x, foot = canvas.between(0.1, 0.9), canvas.between(0.8, 0.95)
        half, ink = canvas.between(0.07, 0.11), canvas.inks[2]
        canvas.draw.rectangle((x - half // 5, foot, x + half // 5, canvas.side), fill=ink)
        for tier in range(3):
            y = foot - tier * half
            width = half - tier * half // 5
            corners = [(x - width, y), (x + width, y), (x, y - 2 * half)]
            canvas.draw.polygon(corners, fill=ink)


def arch(canvas: Canvas) -> None:
    x, top = canvas.between(0.35, 0.65), canvas.between(0.3, 0.45)
    radius = canvas.between(0.17, 0.24)
    for ink, part in ((canvas.inks[1], 1.0), (canvas.inks[0], 0.68), (canvas.inks[3], 0.4)):
        half = round(radius * part)
        canvas.disc(x, top + radius, half, ink)
        canvas.draw.rectangle((x - half, top + radius, x + half, canvas.side), fill=ink)


def heart(canvas: Canvas) -> None:
    x, y = canvas.point(0.38)
    size = canvas.between(0.12, 0.17)
    for grow, ink in ((canvas.side // 28, canvas.inks[3]), (0, canvas.inks[2])):
        radius = size + grow
        canvas.disc(x - size, y, radius, ink)
        canvas.disc(x + size, y, radius, ink)
        width, low = size + round(radius * 0.86), y + radius // 2
        tip = (x, y + 2 * radius)
        canvas.draw.polygon([(x, y), (x - width, low), tip, (x + width, low)], fill=ink)


def moon(canvas: Canvas) -> None:
    x, y = canvas.point(0.32)
    radius = canvas.between(0.15, 0.22)
    canvas.disc(x, y, radius, canvas.inks[2])
    canvas.disc(x + radius // 2, y - radius // 4, round(radius * 0.8), canvas.inks[0])


def leaf(canvas: Canvas) -> None:
    x, stem = canvas.between(0.35, 0.65), canvas.side // 40
    top = canvas.between(0.1, 0.25)
    canvas.draw.line([(x, canvas.side), (x, top)], fill=canvas.inks[2], width=stem)
    reach = canvas.between(0.16, 0.24)
    for y in range(top, round(canvas.side * 0.85), canvas.between(0.14, 0.2)):
        for way in (-1, 1):
            tip = (x + way * reach, y - reach // 3)
            middle = x + way * reach // 2
            edge = [(x, y), (middle, y - reach // 2), tip, (middle, y + reach // 6)]
            canvas.draw.polygon(edge, fill=canvas.inks[2])
    canvas.disc(x, top, canvas.side // 14, canvas.inks[3])


def blocks(canvas: Canvas) -> None:
    for index, ink in enumerate((canvas.inks[3], canvas.inks[2], canvas.inks[1])):
        x, y = canvas.point(0.25)
        size = canvas.between(0.1, 0.16)
        if index == 0:
            canvas.draw.rectangle((x - size, y - size, x + size, y + size), fill=ink)
        elif index == 1:
            canvas.disc(x, y, size, ink)
        else:
            canvas.ngon(x, y, size, 3, ink, canvas.rng.uniform(0, math.pi))


def diamond(canvas: Canvas) -> None:
    x, y = canvas.point(0.42)
    radius = canvas.between(0.26, 0.34)
    inks = (canvas.inks[2], canvas.inks[0], canvas.inks[3])
    for ink, part in zip(inks, (1.0, 0.8, 0.45), strict=True):
        canvas.ngon(x, y, round(radius * part), 4, ink)


def sail(canvas: Canvas) -> None:
    x, foot = canvas.between(0.4, 0.6), canvas.between(0.62, 0.74)
    high, width = canvas.between(0.35, 0.46), canvas.between(0.17, 0.24)
    canvas.draw.polygon([(x, foot), (x, foot - high), (x + width, foot)], fill=canvas.inks[3])
    back = [(x - 4, foot), (x - 4, foot - 3 * high // 4), (x - 2 * width // 3, foot)]
    canvas.draw.polygon(back, fill=canvas.inks[3])
    hull = [(x - width, foot + 4), (x + width, foot + 4), (x + width // 2, foot + high // 3)]
    canvas.draw.polygon([*hull, (x - width // 2, foot + high // 3)], fill=canvas.inks[2])


def flower(canvas: Canvas) -> None:
    x, y = canvas.point(0.36)
    radius, turn = canvas.between(0.13, 0.18), canvas.rng.uniform(0, math.pi)
    for petal_x, petal_y in around(x, y, radius, 5 + int(canvas.rng.integers(3)), turn):
        canvas.disc(petal_x, petal_y, round(radius * 0.7), canvas.inks[2])
    canvas.disc(x, y, round(radius * 0.6), canvas.inks[3])
