#!/bin/sh
# Creates the namespace with its retention and search attributes, or brings an existing one up to date. Runs before
# every start of worker and API, since both fail for ever on a search attribute that the server does not know.
set -eu

: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}"
# Closed cases stay readable in the UI this long; what happened stays in Postgres for good.
RETENTION="${TEMPORAL_RETENTION:-720h}"

# within_a_minute WHAT COMMAND…: repeats a command until it succeeds.
within_a_minute() {
  what="$1"
  shift
  attempts=0
  until "$@" >/dev/null 2>&1; do
    attempts=$((attempts + 1))
    if [ "$attempts" -ge 30 ]; then
      echo "$what: not within a minute at $TEMPORAL_ADDRESS. The last answer:" >&2
      "$@" >&2 || true
      exit 1
    fi
    sleep 2
  done
}

within_a_minute 'Temporal is healthy' temporal operator cluster health

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
else
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi
# A new namespace is known to the database at once, to the server's own list a few seconds later.
within_a_minute 'The namespace is known' temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE"

# One by one, so that a namespace made by an older version gets what came later. Naming one that exists with the same
# type is not an error; with another type it is, and must stop the start.
attribute() {
  temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$1" --type "$2"
}

attribute CreditorId Keyword
attribute CustomerId Keyword
attribute CaseStage Keyword
attribute NextAction Keyword
attribute CaseHold KeywordList
attribute NextActionAt Datetime
attribute DueAt Datetime
attribute BalanceMinor Int
