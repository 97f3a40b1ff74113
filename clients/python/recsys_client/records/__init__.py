"""What a service records and shows: interactions, items, bundles, and its own state."""

from recsys_client.records.administration import CreatedToken, Setting, TokenRecord
from recsys_client.records.bundles import ActiveBundles, BundleChange, BundleRecord
from recsys_client.records.descriptions import (
    ColumnSummary,
    ContextSummary,
    Description,
    SpaceSummary,
)
from recsys_client.records.figures import (
    MethodFigures,
    MinuteFigures,
    SlowRequest,
    SlowRequests,
)
from recsys_client.records.interactions import History, Interaction, StreamReceipt
from recsys_client.records.items import CatalogItem, FoundItems, Item, ItemPage
from recsys_client.records.quality import (
    ExpectedItem,
    FailedQuery,
    Figure,
    FigureComparison,
    ItemMap,
    MapMethod,
    Report,
    ReportComparison,
    ScorerReport,
    Search,
    SearchOrder,
    SearchOrigin,
    SearchPage,
    Segment,
)
from recsys_client.records.receipts import WriteReceipt, new_key
from recsys_client.records.service_status import (
    Alert,
    AuditStatus,
    IndexStatus,
    ServedBundle,
    ServiceHealth,
    ServiceStatus,
    StoreStatus,
    WorkerStatus,
)

__all__ = [
    "ActiveBundles",
    "Alert",
    "AuditStatus",
    "BundleChange",
    "BundleRecord",
    "CatalogItem",
    "ColumnSummary",
    "ContextSummary",
    "CreatedToken",
    "Description",
    "ExpectedItem",
    "FailedQuery",
    "Figure",
    "FigureComparison",
    "FoundItems",
    "History",
    "IndexStatus",
    "Interaction",
    "Item",
    "ItemMap",
    "ItemPage",
    "MapMethod",
    "MethodFigures",
    "MinuteFigures",
    "Report",
    "ReportComparison",
    "ScorerReport",
    "Search",
    "SearchOrder",
    "SearchOrigin",
    "SearchPage",
    "Segment",
    "ServedBundle",
    "ServiceHealth",
    "ServiceStatus",
    "Setting",
    "SlowRequest",
    "SlowRequests",
    "SpaceSummary",
    "StoreStatus",
    "StreamReceipt",
    "TokenRecord",
    "WorkerStatus",
    "WriteReceipt",
    "new_key",
]
