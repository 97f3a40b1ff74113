"""The pages, one module per area.

To add a page:

1. Write a module here: a frozen dataclass, the *view model*; a coroutine that builds it from the
   client and the parameters; and a ``router`` with the routes, which return
   ``respond(request, "name.html", view)``. ``pages/overview/page.py`` is the pattern.
2. Write ``templates/name.html``, which extends ``layout.html``. The view model is ``view``; the
   macros of ``templates/parts/`` are ``forms``, ``cards`` and ``tiles``, the classes are in
   ``static/console.css`` and ``static/parts.css``. Addresses of items, users and pictures are the
   filters ``item_href``, ``user_href`` and ``picture_src``.
3. Add the router to ``registry.py``: a :class:`~recsys_console.pages.page.Page` if it has an entry
   in the navigation, else one line in ``ROUTERS``.

Rules of a page:

- It calls the service only, by ``Service``, with ``asyncio.gather`` where calls are independent. It
  catches no error of the service: the application shows each as a page, a notice or JSON.
- A form has ``{{ forms.csrf(csrf) }}`` and the method POST; the route ends with ``redirect`` and a
  ``Toast``. The secret is checked before the route runs.
- ``block="results"`` lets htmx fetch that block of the template alone. Links and forms work without
  script, too.
- The same view model is the JSON of ``?format=json``: bytes do not belong in it.
- Nothing is inline: no ``style=``, no ``<style>``, no script, no ``hx-on``, no ``js:`` values.
"""
