"""A process that draws: a line of Vega-Lite in, a line that counts characters and then the SVG out.

It is run as a file of its own and needs nothing of this project, so that it starts fast and wherever the
project lies.
"""

import sys

import vl_convert


def main() -> None:
    """Draw until nothing more comes."""
    for line in sys.stdin.buffer:
        drawn = vl_convert.vegalite_to_svg(line.decode("utf-8")).encode("utf-8")
        sys.stdout.buffer.write(b"%d\n" % len(drawn) + drawn)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
