#!/usr/bin/env bash
# Registers a few demo products through the public API, as travel MD md-1. Only into an empty store, so that a
# second start adds nothing.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
api=http://127.0.0.1:$(app_port gateway appPort)/api
issuer=http://127.0.0.1:$(port 8089)

items=$(curl -fsS --max-time 10 "$api/store/items?limit=1") || fail "the store does not answer at $api/store/items."
[[ ${items//[[:space:]]/} == *'"items":[]'* ]] || exit 0

token=$(curl -fsS --max-time 10 -u md-1:dev -d grant_type=client_credentials "$issuer/oauth/token" |
	sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')
[[ -n $token ]] || fail "the issuer gave no token for md-1."

day() { TZ=KST-9 date -d "@$(($(date +%s) + $1 * 86400))" +%F; } # the date in Korea in so many days
departures() { # departures CAPACITY MINIMUM DAYS…
	local capacity=$1 minimum=$2 list='' days
	shift 2
	for days; do list+=",{\"date\":\"$(day "$days")\",\"capacity\":$capacity,\"minParticipants\":$minimum}"; done
	echo "[${list#,}]"
}
count=0
register() {
	local answer
	answer=$(curl -sS --max-time 20 -w '\n%{http_code}' -H @<(printf 'Authorization: Bearer %s' "$token") \
		-H 'Content-Type: application/json' --data-binary @- "$api/products")
	[[ ${answer##*$'\n'} = 201 ]] || fail "a demo product was refused: ${answer%$'\n'*}"
	count=$((count + 1))
}

register <<JSON
{"kind":"OVERSEAS","name":{"ko":"오사카 3일 + 5% 적금","en":"Osaka, 3 days, with 5% savings"},
 "description":{"ko":"도톤보리 야경과 교토 하루. 적금으로 모아 떠나고 환전 수수료는 3분의 1을 덜어 드립니다.","en":"Dotonbori by night and a day in Kyoto. Save up for it, and pay a third less to change your money."},
 "country":"JP","nights":2,"price":800000,"discountRate":500,"recommendation":5,"fxBenefitRate":3300,
 "savingsOffer":{"baseRate":300,"preferentialRate":50,"termMonths":12},
 "cancellationPolicy":{"type":"STANDARD"},"departures":$(departures 20 8 45 75 400)}
JSON
register <<JSON
{"kind":"DOMESTIC","name":{"ko":"제주 올레 2박 3일","en":"Jeju Olle trail, 3 days"},
 "description":{"ko":"7코스와 10코스를 천천히 걷습니다. 숙소는 서귀포, 짐은 옮겨 드립니다.","en":"Routes 7 and 10 at an easy pace. You sleep in Seogwipo, and we carry the bags."},
 "country":"KR","nights":2,"price":320000,"discountRate":0,"recommendation":4,"fxBenefitRate":0,
 "cancellationPolicy":{"type":"STANDARD"},"departures":$(departures 12 4 20 34 48)}
JSON
register <<JSON
{"kind":"OVERSEAS","name":{"ko":"다낭 가족 휴양 5일","en":"Da Nang for families, 5 days"},
 "description":{"ko":"미케 해변 리조트 4박, 호이안 야시장 포함. 아이와 함께 쉬는 일정입니다.","en":"Four nights by My Khe beach, with the night market of Hoi An. A plan that leaves room for children."},
 "country":"VN","nights":4,"price":1190000,"discountRate":1000,"recommendation":4,"fxBenefitRate":5000,
 "savingsOffer":{"baseRate":280,"preferentialRate":70,"termMonths":12},
 "cancellationPolicy":{"type":"STANDARD"},"departures":$(departures 30 10 60 380)}
JSON
register <<JSON
{"kind":"DOMESTIC","name":{"ko":"경주 야간 유적 1박 2일","en":"Gyeongju by night, 2 days"},
 "description":{"ko":"동궁과 월지, 첨성대를 해진 뒤에 봅니다. 특별 약관: 출발 30일 전까지 무료, 이후 50%.","en":"Donggung, Wolji and Cheomseongdae after sunset. Special terms: free until 30 days before, 50% after."},
 "country":"KR","nights":1,"price":180000,"discountRate":500,"recommendation":3,"fxBenefitRate":0,
 "cancellationPolicy":{"type":"SPECIAL","tiers":[{"fromDays":30,"rate":0},{"fromDays":0,"rate":5000}],
  "consent":{"ko":"출발 30일 이내 취소 시 50%의 취소료에 동의합니다.","en":"I agree to a fee of 50% when I cancel within 30 days of departure."}},
 "departures":$(departures 16 6 40 70)}
JSON
say "Stored $count demo products."
