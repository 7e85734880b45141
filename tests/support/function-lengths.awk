# SPDX-License-Identifier: MIT
# Names every function longer than 100 lines.  A function's body is what lies between "{" and "}" in the first column.
/^\{/ { start = FNR }
/^\}/ {
	if (start && FNR - start > 100) {
		printf "check: %s:%d: a function of %d lines\n", FILENAME, start, FNR - start
		bad = 1
	}
	start = 0
}
FNR == 1 { start = 0 }
END { exit bad }
