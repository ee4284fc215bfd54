package main

import "net/http"

// refusal is an answer other than 200, with a code and a message as Toss Payments publishes them at
// https://docs.tosspayments.com/reference/error-codes.
type refusal struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return r.Code }

// The codes that the simulator answers with.
var (
	errInvalidRequest    = &refusal{http.StatusBadRequest, "INVALID_REQUEST", "잘못된 요청입니다."}
	errInvalidKeyLength  = &refusal{http.StatusBadRequest, "INVALID_IDEMPOTENCY_KEY", "멱등키는 300자 이하여야 합니다."}
	errTransactionKey    = &refusal{http.StatusBadRequest, "INVALID_TRANSACTION_KEY", "잘못된 페이징 키 입니다."}
	errBelowMinimum      = &refusal{http.StatusBadRequest, "BELOW_MINIMUM_AMOUNT", "신용카드는 결제금액이 100원 이상, 계좌는 200원이상부터 결제가 가능합니다."}
	errAlreadyProcessed  = &refusal{http.StatusBadRequest, "ALREADY_PROCESSED_PAYMENT", "이미 처리된 결제 입니다."}
	errAlreadyCanceled   = &refusal{http.StatusBadRequest, "ALREADY_CANCELED_PAYMENT", "이미 취소된 결제 입니다."}
	errUnauthorizedKey   = &refusal{http.StatusUnauthorized, "UNAUTHORIZED_KEY", "인증되지 않은 시크릿 키 혹은 클라이언트 키 입니다."}
	errBasicAuthFormat   = &refusal{http.StatusForbidden, "INCORRECT_BASIC_AUTH_FORMAT", "잘못된 요청입니다. ':' 를 포함해 인코딩해주세요."}
	errRejectedByCompany = &refusal{http.StatusForbidden, "REJECT_CARD_COMPANY", "결제 승인이 거절되었습니다."}
	errRejectedPayment   = &refusal{http.StatusForbidden, "REJECT_CARD_PAYMENT", "한도초과 혹은 잔액부족으로 결제에 실패했습니다."}
	errNotCancelable     = &refusal{http.StatusForbidden, "NOT_CANCELABLE_PAYMENT", "취소 할 수 없는 결제 입니다."}
	errCancelAmount      = &refusal{http.StatusForbidden, "NOT_CANCELABLE_AMOUNT", "취소 할 수 없는 금액 입니다."}
	errNoPartialRefund   = &refusal{http.StatusForbidden, "NOT_ALLOWED_PARTIAL_REFUND", "에스크로 주문, 현금 카드 결제일 때는 부분 환불이 불가합니다."}
	errNotFound          = &refusal{http.StatusNotFound, "NOT_FOUND", "존재하지 않는 정보 입니다."}
	errNotFoundPayment   = &refusal{http.StatusNotFound, "NOT_FOUND_PAYMENT", "존재하지 않는 결제 정보 입니다."}
	errNotFoundSession   = &refusal{http.StatusNotFound, "NOT_FOUND_PAYMENT_SESSION", "결제 시간이 만료되어 결제 진행 데이터가 존재하지 않습니다."}
	errTwinRunning       = &refusal{http.StatusConflict, "IDEMPOTENT_REQUEST_PROCESSING", "이전 멱등 요청이 처리중입니다."}
	errInternal          = &refusal{http.StatusInternalServerError, "FAILED_PAYMENT_INTERNAL_SYSTEM_PROCESSING", "결제가 완료되지 않았어요. 다시 시도해주세요."}
)
