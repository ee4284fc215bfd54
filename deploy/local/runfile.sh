#!/usr/bin/env bash
# Prepares what `dapr run -f` reads and prints the file's name: dapr.yaml as it is, or, for a second stack or another
# broker or store, a copy with its ports, its file of names and its components. Beside it $ONEQ_RUN_DIR/dapr, to be named by DAPR_RUNTIME_PATH: what
# the CLI takes for a Dapr installation, whose daprd is daprd.sh.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
mkdir -p "$RUN/dapr/.dapr/bin"
cat >"$RUN/dapr/.dapr/bin/daprd" <<EOS
#!/bin/sh
ONEQ_RUN_DIR='$RUN' exec '$ROOT/deploy/local/daprd.sh' "\$@"
EOS
chmod +x "$RUN/dapr/.dapr/bin/daprd"

rm -rf "$RUN/dapr.yaml" "$RUN/components" "$RUN/closed"
if [[ $OFFSET = 0 && $RUN = "$ROOT/.run" && $BROKER = redis && $STATE = redis ]]; then
	echo "$ROOT/dapr.yaml"
	exit
fi
cp -R "$ROOT/components" "$RUN/components"
sed -i.bak "s#\.run/names\.db#$RUN/names.db#" "$RUN"/components/common/configuration*.yaml
rm -f "$RUN"/components/common/*.bak
awk -v offset="$OFFSET" -v root="$ROOT" -v run="$RUN" -v broker="$BROKER" -v state="$STATE" '
	/^ *(appPort|daprHTTPPort|daprGRPCPort|daprInternalGRPCPort|metricsPort): [0-9]+/ { sub(/[0-9]+/, $2 + offset) }
	{ sub(/\.\/components\/pubsub\/redis$/, "./components/pubsub/" broker); sub(/\.\/components\/state\/redis$/, "./components/state/" state) }
	{ sub(/\.\/components\//, run "/components/"); sub(/appDirPath: \.\//, "appDirPath: " root "/"); print }
' "$ROOT/dapr.yaml" >"$RUN/dapr.yaml"
echo "$RUN/dapr.yaml"
