"""Operations: bundles, the service's workers and store, slow requests, tokens, configuration."""

from fastapi import APIRouter

from recsys_console.pages.operations import activation, bundles, configuration, service, tokens

router = APIRouter()
for _page in (bundles, activation, service, tokens, configuration):
    router.include_router(_page.router)
