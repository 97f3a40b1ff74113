#!/bin/sh
# Calls of every service with grpcurl: sh examples/grpcurl.sh [HOST:PORT]
# Start a service first: recsys serve --bundles runs/demo/bundles --store store.db
# Reflection is on, so grpcurl needs no proto files. Bytes, such as a picture, are base64.
set -e
ADDRESS=${1:-127.0.0.1:50051}

call() { # call SERVICE/METHOD JSON
    grpcurl -plaintext -max-time 10 -d "$2" "$ADDRESS" "recsys.v1.$1"
}

call RetrievalService/Describe '{}'

call RetrievalService/Retrieve '{
  "query": {"userId": "u0001"}, "k": 5, "titles": true,
  "filter": {"range": {"column": "price", "lt": {"number": 50}}},
  "crowding": {"category": 2}
}'

call RetrievalService/Retrieve '{"query": {"itemIds": ["i0001", "i0002"]}, "k": 5, "space": "text"}'

# A key makes a repetition harmless; with a key each interaction needs its time.
call InteractionService/RecordInteractions '{
  "interactions": [{"userId": "ann", "itemId": "i0001", "time": "1704067200", "event": "click"}],
  "idempotencyKey": "example-1"
}'

call InteractionService/StreamInteractions '
  {"interactions": [{"userId": "ann", "itemId": "i0002"}]}
  {"interactions": [{"userId": "ann", "itemId": "i0003", "weight": 2}]}
'

call InteractionService/GetHistory '{"userId": "ann", "limit": 10}'

call RetrievalService/Retrieve '{"query": {"userId": "ann"}, "k": 5}'

call InteractionService/DeleteUser '{"userId": "ann"}'

call CatalogService/UpsertItems '{
  "items": [{
    "itemId": "teapot", "title": "A new teapot", "text": "fired clay",
    "attributes": {"category": {"texts": {"texts": ["making"]}}, "price": {"number": 25}}
  }]
}'

call CatalogService/GetItems '{"itemIds": ["teapot", "i0001"]}'

call CatalogService/ListItems '{
  "pageSize": 5,
  "filter": {"allOf": {"filters": [
    {"contains": {"column": "category", "value": {"text": "making"}}},
    {"negation": {"range": {"column": "price", "ge": {"number": 30}}}}
  ]}}
}'

call CatalogService/DeleteItems '{"itemIds": ["teapot"]}'

call BundleService/ListBundles '{}'

call BundleService/GetActiveBundle '{}'

call QualityService/GetReport '{}'

call QualityService/ListSearches '{"origin": "SEARCH_ORIGIN_TRAINING", "pageSize": 5}'

call QualityService/GetItemMap '{"space": "two_tower", "column": "category"}'
