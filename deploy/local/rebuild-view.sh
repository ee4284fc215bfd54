#!/usr/bin/env bash
# rebuild-view.sh – has the documents of the view made anew in the running system, as operator-1, and shows how far
# that is. One that runs already is only watched. Status 1 when it fails.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
api=http://127.0.0.1:$(app_port gateway appPort)/api

# call METHOD – the answer's body; the token by a file that is none, so that it is not in the list of processes.
call() {
	local answer token
	token=$(curl -fsS --max-time 10 -u operator-1:dev -d grant_type=client_credentials "http://127.0.0.1:$(port 8089)/oauth/token" |
		sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p') || true
	[[ -n $token ]] || fail "the issuer gave no token for operator-1; is the system running?"
	answer=$(curl -sS --max-time 15 -w '\n%{http_code}' -X "$1" -H @<(printf 'Authorization: Bearer %s' "$token") "$api/ops/view/rebuild") || return 1
	[[ ${answer##*$'\n'} = 20[02] ]] || { echo "${answer%$'\n'*}" >&2; return 1; }
	printf '%s' "${answer%$'\n'*}"
}
# value NAME – of a member of the answer that holds a text or a number.
value() { sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p" <<<"$body"; }
# figures – product 12/12, reservation 340/?
figures() {
	grep -o '"owner":"[a-z]*","heard":[0-9]*,"expected":[a-z0-9]*' <<<"$body" |
		sed 's/"owner":"\([a-z]*\)","heard":\([0-9]*\),"expected":\(.*\)/\1 \2\/\3/; s/null/?/' | paste -sd, | sed 's/,/, /g'
}

body=$(call POST) || fail "the rebuild could not be started."
id=$(value rebuildId)
say "rebuild $id: generation $(value making) is made beside $(value generation)"
shown="" missed=0
while [[ $(value state) = RUNNING ]]; do
	now=$(figures)
	[[ $now = "$shown" ]] || say "  $now"
	shown=$now
	sleep 1
	# A gateway or a view that starts anew knows how far it is: ask again, for a minute.
	if body=$(call GET); then missed=0; else
		((++missed < 60)) || fail "the view does not answer; the rebuild goes on without us: run this again to watch it."
		body='"state":"RUNNING"'
	fi
done
[[ $(value rebuildId) = "$id" ]] || fail "another rebuild has begun since: run this again to watch it."
[[ $(value state) = DONE ]] || fail "the rebuild has failed: $(value reason)"
say "  $(figures)"
say "done: generation $(value generation) is read"
