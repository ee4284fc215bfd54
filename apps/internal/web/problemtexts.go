package web

import "oneqtour/apps/internal/fault"

type text struct{ ko, en string }

func (t text) in(korean bool) string {
	if korean {
		return t.ko
	}
	return t.en
}

type problemText struct {
	status   int
	short    text
	sentence text
}

func (p problemText) title(korean bool) string  { return p.short.in(korean) }
func (p problemText) detail(korean bool) string { return p.sentence.in(korean) }

// problems is the one table of code, status and words.
var problems = map[fault.Code]problemText{
	fault.Malformed: {400, text{"읽을 수 없는 요청", "Malformed request"},
		text{"요청 본문이 올바른 JSON(UTF-8)이 아니거나, 이 주소가 받지 않는 조회 조건이 있거나, 값의 형식이 다릅니다.",
			"The body is not valid JSON in UTF-8, the query has members that this address does not take, or a value has the wrong type."}},
	fault.IdempotencyKeyMissing: {400, text{"멱등키 없음", "Idempotency-Key missing"},
		text{"Idempotency-Key 헤더가 필요합니다.", "The header Idempotency-Key is required."}},
	fault.IdempotencyKeyInvalid: {400, text{"멱등키 형식 오류", "Idempotency-Key invalid"},
		text{"Idempotency-Key는 보이는 ASCII 문자(공백 제외) 1~255자여야 합니다.", "Idempotency-Key must be 1 to 255 visible ASCII characters."}},
	fault.Unauthenticated: {401, text{"로그인이 필요합니다", "Sign-in required"},
		text{"유효한 토큰이 없습니다. 다시 로그인해 주세요.", "There is no valid token. Please sign in again."}},
	fault.PaymentDeclined: {402, text{"결제 거절", "Payment declined"},
		text{"결제가 승인되지 않아 예약이 성립되지 않았습니다. 청구된 금액이 있으면 전액 돌려드립니다.", "The payment was not approved, so there is no reservation; whatever may have been charged is returned in full."}},
	fault.WrongRole: {403, text{"권한 없음", "Not allowed"},
		text{"이 작업에 필요한 역할이 없습니다.", "Your role does not allow this."}},
	fault.Forbidden: {403, text{"접근 거부", "Forbidden"},
		text{"이 경로로는 호출할 수 없습니다.", "This cannot be called from here."}},
	fault.NotFound: {404, text{"찾을 수 없음", "Not found"},
		text{"요청하신 대상을 찾을 수 없습니다.", "There is no such thing here."}},
	fault.MethodNotAllowed: {405, text{"허용되지 않는 방식", "Method not allowed"},
		text{"이 주소는 해당 HTTP 메서드를 받지 않습니다.", "This address does not take that method."}},
	fault.RequestTimeout: {408, text{"요청 시간 초과", "Request timeout"},
		text{"요청이 제때 끝까지 도착하지 않았습니다.", "The request did not arrive completely in time."}},
	fault.SoldOut: {409, text{"매진", "Sold out"},
		text{"남은 좌석이 부족합니다.", "There are not enough seats left."}},
	fault.PriceChanged: {409, text{"가격 변경", "Price changed"},
		text{"보시던 가격이 바뀌었습니다. 새 가격을 확인해 주세요.", "The price is no longer the one you saw. Please look at the new one."}},
	fault.TermsChanged: {409, text{"취소규정 변경", "Terms changed"},
		text{"취소규정이 바뀌었습니다. 다시 확인하고 동의해 주세요.", "The cancellation terms have changed. Please read and accept them again."}},
	fault.FeeChanged: {409, text{"위약금 변경", "Fee changed"},
		text{"취소 위약금이 안내된 금액과 다릅니다.", "The cancellation fee is no longer the one you saw."}},
	fault.DepartureClosed: {409, text{"마감된 출발일", "Departure closed"},
		text{"이 출발일은 이미 마감되었습니다.", "This departure is closed already."}},
	fault.TooLate: {409, text{"시한 경과", "Too late"},
		text{"출발일이 되었거나 지나 처리할 수 없습니다.", "The departure date has come, so this is no longer possible."}},
	fault.TooEarly: {409, text{"아직 처리할 수 없음", "Too early"},
		text{"출발일이 되어야 처리할 수 있습니다.", "This is possible from the departure date on."}},
	fault.AlreadyDecided: {409, text{"이미 결정됨", "Already decided"},
		text{"이미 다른 내용으로 처리되었습니다.", "This was settled before, in another way."}},
	fault.NotCancellable: {409, text{"취소 불가", "Not cancellable"},
		text{"현재 상태에서는 예약을 취소할 수 없습니다.", "The reservation cannot be cancelled in its present state."}},
	fault.NotStuck: {409, text{"막힌 환불이 아님", "Not stuck"},
		text{"이 환불은 사람이 처리할 상태가 아닙니다.", "This refund is not one that people have to settle."}},
	fault.IDTaken: {409, text{"이미 사용된 식별자", "Id taken"},
		text{"이 식별자는 이미 사용되었습니다.", "This id is already in use."}},
	fault.IdempotencyInProgress: {409, text{"처리 중", "In progress"},
		text{"같은 요청이 아직 처리 중입니다. 잠시 후 다시 시도해 주세요.", "The same request is still being worked on. Please ask again in a moment."}},
	fault.ReplayFailed: {409, text{"재처리 실패", "Replay failed"},
		text{"이벤트를 아직 처리할 수 없습니다. 이유는 기록되었습니다.", "The event still cannot be handled. The reason is kept with the letter."}},
	fault.Discontinued: {410, text{"판매 종료", "Discontinued"},
		text{"판매가 종료된 상품입니다.", "This product is no longer offered."}},
	fault.Stale: {412, text{"오래된 버전", "Stale version"},
		text{"그 사이 내용이 바뀌었습니다. 다시 읽고 수정해 주세요.", "It has changed since you read it. Please read it again."}},
	fault.TooLarge: {413, text{"본문이 너무 큼", "Body too large"},
		text{"요청 본문은 1MB를 넘을 수 없습니다.", "A body may have at most 1 MB."}},
	fault.UnsupportedMediaType: {415, text{"지원하지 않는 형식", "Unsupported media type"},
		text{"Content-Type은 application/json이어야 하고, 압축된 본문은 받지 않습니다.", "Content-Type must be application/json, and the body must not be compressed."}},
	fault.Invalid: {422, text{"입력값 오류", "Invalid input"},
		text{"표시된 항목을 확인해 주세요.", "Please look at the fields named."}},
	fault.ConsentRequired: {422, text{"동의 필요", "Consent required"},
		text{"특별 취소규정에 대한 동의(acceptedPolicyVersion)가 필요합니다.", "The special cancellation terms must be accepted (acceptedPolicyVersion)."}},
	fault.PlanNotOffered: {422, text{"제공되지 않는 결제방식", "Plan not offered"},
		text{"이 상품과 출발일에는 해당 결제방식을 쓸 수 없습니다.", "This payment plan is not offered for this product and departure."}},
	fault.NotReplayable: {422, text{"재처리할 수 없는 이벤트", "Not replayable"},
		text{"읽을 수 없거나 받는 곳이 없는 이벤트입니다. 이유는 기록되었습니다.", "The event cannot be read, or nobody hears it. The reason is kept with the letter."}},
	fault.IdempotencyKeyReused: {422, text{"재사용된 멱등키", "Idempotency-Key reused"},
		text{"같은 Idempotency-Key가 다른 내용으로 이미 쓰였습니다.", "This Idempotency-Key was used with another body."}},
	fault.IfMatchRequired: {428, text{"버전 필요", "Version required"},
		text{"If-Match 헤더에 읽은 버전(ETag)을 넣어 주세요.", "Send the version that you read (ETag) as If-Match."}},
	fault.TooMany: {429, text{"요청이 너무 많음", "Too many requests"},
		text{"요청이 너무 잦습니다. 잠시 후 다시 시도해 주세요.", "Too many requests. Please wait a moment."}},
	fault.Busy: {503, text{"지금은 예약을 받을 수 없습니다", "Busy just now"},
		text{"지금은 예약을 처리하지 못했습니다. 결제되지 않았으니 잠시 후 다시 찾아 주세요.", "We could not take your reservation just now. Nothing was charged. Please come back in a moment."}},
	fault.Unavailable: {503, text{"일시적으로 이용 불가", "Unavailable"},
		text{"일시적으로 처리할 수 없습니다. 잠시 후 다시 시도해 주세요.", "This cannot be done just now. Please try again in a moment."}},
	fault.NotSent: {503, text{"결제 요청 미전송", "Payment not sent"},
		text{"결제대행사에 연결되지 않아 결제를 요청하지 않았습니다. 청구된 금액은 없습니다.", "The payment provider could not be reached, so nothing was requested and nothing was charged."}},
	fault.OutcomeUnknown: {504, text{"결제 결과 미확인", "Outcome unknown"},
		text{"결제 결과를 아직 알 수 없습니다. 잠시 후 조회해 주세요.", "The outcome of the payment is not known yet. Please ask for it in a moment."}},
	fault.Internal: {500, text{"내부 오류", "Internal error"},
		text{"처리 중 오류가 발생했습니다. correlationId를 알려 주시면 확인하겠습니다.", "Something went wrong on our side. The correlationId helps us to find it."}},
}

// fieldTexts are the words for what is wrong with a field.
var fieldTexts = map[string]text{
	fault.Required:    {"필수 항목입니다", "is required"},
	fault.OutOfRange:  {"허용 범위를 벗어났습니다", "is out of range"},
	fault.BadFormat:   {"형식이 올바르지 않습니다", "has the wrong format"},
	fault.NotAllowed:  {"허용되지 않는 값입니다", "is not an allowed value"},
	fault.InThePast:   {"지난 날짜입니다", "is in the past"},
	fault.Duplicate:   {"중복되었습니다", "is there more than once"},
	fault.TooLong:     {"너무 깁니다", "is too long"},
	fault.UnknownName: {"알 수 없는 항목입니다", "is not a known member"},
	fault.ReadOnly:    {"바꿀 수 없는 항목입니다", "cannot be changed"},
}

// visibleASCII are the words for fault.VisibleASCII.
var visibleASCII = text{"보이는 ASCII 문자(공백 제외)", fault.VisibleASCII}
