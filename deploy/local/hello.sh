#!/usr/bin/env bash
# Tells where the running system is and what to try first.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
api=http://127.0.0.1:$(app_port gateway appPort)
front=http://127.0.0.1:$(app_port gateway daprHTTPPort)
issuer=http://127.0.0.1:$(port 8089)
cat <<TEXT

oneqtour is running.
  API             $api/
  Dapr's front    $front/v1.0/invoke/store/method/items
  tokens          $issuer     (md-1, customer-1 … customer-9, operator-1, secret "dev")
  logs            $(short "$RUN")/logs

Try (in another shell):
  curl -s $api/api/store/items
  TOKEN=\$(curl -s -u customer-1:dev -d grant_type=client_credentials $issuer/oauth/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -s -H "Authorization: Bearer \$TOKEN" $api/api/view/mine

Ctrl-C stops everything; the data stays.
TEXT
