package contract

// Headers that services pass to each other.
const (
	HeaderApp         = "X-Oneqtour-App"   // set on every answer of a service: an answer without it is Dapr's
	HeaderCorrelation = "X-Correlation-Id" // joins the logs and events of one request
)
