.PHONY: stop
stop:
	@deploy/local/stop.sh
