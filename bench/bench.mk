# SPDX-License-Identifier: MIT
# What is measured besides `make bench`.  Included by the Makefile.

GIB ?= 10
.PHONY: memory
memory: deps ## decode streams of GIB=10 and sound without an end, and watch the memory
	@$(MAKE) --no-print-directory all
	@bench/memory.py $(BUILD) $(GIB)
