# plots/style.gp - how every plot looks; copied into each script that `labyrinth plot` writes.
set border 3 lc rgb '#444444'
set tics nomirror out
set grid ytics lt 1 lc rgb '#DDDDDD'
set bmargin 6
set tmargin 3
