package usecase

import (
	"strconv"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/product/domain"
)

// transitions are the words for a state that a reservation has come to.
var transitions = map[string]contract.Text{
	contract.StatusConfirmed:       {Ko: "예약이 확정되었습니다", En: "A reservation was confirmed"},
	contract.StatusRejected:        {Ko: "예약이 성립되지 않았습니다", En: "A reservation was not established"},
	contract.StatusCancelRequested: {Ko: "예약 취소가 접수되었습니다", En: "The cancellation of a reservation was requested"},
	contract.StatusCancelled:       {Ko: "예약이 취소되었습니다", En: "A reservation was cancelled"},
	contract.StatusCompleted:       {Ko: "여행이 완료되었습니다", En: "A trip was completed"},
}

const kindTransition = "TRANSITION"

// messageOf puts a notice into words. What has no words yet is named as the history names it.
func messageOf(n domain.OwedNotice) Message {
	title, known := transitions[n.Status]
	if !known || n.Kind != kindTransition {
		title = contract.Text{Ko: "예약에 새 기록이 있습니다: " + n.Kind, En: "There is news of a reservation: " + n.Kind}
	}
	return Message{
		ID: string(n.MD) + ":" + strconv.FormatInt(n.Seq, 10), OwedNotice: n, Title: title,
		Text: contract.Text{
			Ko: title.Ko + ". 예약 " + n.ReservationID + ", 상품 " + string(n.ProductID) + ", 상태 " + n.Status + ".",
			En: title.En + ". Reservation " + n.ReservationID + ", product " + string(n.ProductID) + ", state " + n.Status + ".",
		},
	}
}
