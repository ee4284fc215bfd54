#!/usr/bin/env bash
# reconcile.sh [YYYY-MM-DD] – compares reservations, payments, the provider's ledger and compensations of one day in
# Korea (today by default) in the running system, as operator-1. Names every difference; status 1 when there is one.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
date=${1:-$(TZ=KST-9 date +%F)}
[[ $date =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}$ ]] || fail "which day? 'make reconcile DATE=2026-11-22', for instance."
api=http://127.0.0.1:$(app_port gateway appPort)/api

token=$(curl -fsS --max-time 10 -u operator-1:dev -d grant_type=client_credentials "http://127.0.0.1:$(port 8089)/oauth/token" |
	sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p') || true
[[ -n $token ]] || fail "the issuer gave no token for operator-1; is the system running?"
# The token by a file that is none, so that it is not in the list of processes.
answer=$(curl -sS --max-time 120 -w '\n%{http_code}' -H 'Accept-Language: en' -H @<(printf 'Authorization: Bearer %s' "$token") "$api/ops/reconciliation?date=$date") ||
	fail "$api does not answer."
body=${answer%$'\n'*}
[[ ${answer##*$'\n'} = 200 ]] || fail "refused: $(sed -n 's/.*"detail":"\([^"]*\)".*/\1/p' <<<"$body") ($body)"

differences=$(grep -o '"differences":\[.*\]' <<<"$body" | grep -o '{[^{}]*}' || true)
say "$date: checked $(grep -o '"checked":{[^}]*}' <<<"$body" | cut -d: -f2- | tr -d '{}"' | sed 's/:/ /g; s/,/, /g')"
flying=$(grep -o '"inFlight":[0-9]*' <<<"$body" | cut -d: -f2) || true
((${flying:-0} == 0)) || say "$flying in flight, not compared yet: compare $date again in some minutes"
if [[ -z $differences ]]; then
	say "0 differences"
	exit 0
fi
say "$(wc -l <<<"$differences") differences:"
say "$differences"
exit 1
