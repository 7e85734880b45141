# SPDX-License-Identifier: MIT
"""Draws the ratios with gnuplot."""

import subprocess


def escape(text):
    return text.replace("\\", "").replace('"', "").replace("_", "\\\\_")


def write(results, path):
    rows = "\n".join(f'"{escape(pair["name"])}" {pair["ratio"]:.4f}' for pair in reversed(results.pairs))
    script = f"""
set terminal svg size 1100,{120 + 28 * len(results.pairs)} font "sans,11" background rgb "white"
set output "{path}"
set title "time of safe-decode over time without it (1 is as fast; less is faster)"
set style fill solid 0.6
set logscale x
set xrange [0.1:*]
set grid x
set yrange [-0.7:{len(results.pairs) - 0.3}]
set lmargin 66
unset key
set arrow from 1, graph 0 to 1, graph 1 nohead lw 2
$data << EOD
{rows}
EOD
plot $data using (0.5*$2):0:(0.1):2:($0-0.35):($0+0.35):yticlabels(1) with boxxyerror lc rgb "#4477aa"
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
