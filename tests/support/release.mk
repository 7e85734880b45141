# SPDX-License-Identifier: MIT
# The README's two commands on other releases of Debian.  Included by the Makefile.

RELEASE ?= trixie

.PHONY: test-release
test-release: ## run `make run` and `make test` in a bare chroot of RELEASE=trixie, as root; KEEP=1 keeps it
	@tests/support/test-release $(RELEASE) $(BUILD)/release
