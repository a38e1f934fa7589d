"""What the paper says. Written for this project; the study and its numbers are invented."""

from typing import Any

TITLE = "How Often Must a Garden Pond Be Topped Up? One Season of Water Level Readings"
AUTHORS = (
    "Jonas Arden, Miriam Okafor and Lena Brandt",
    "Institute for Small Waters, Ferry Road 18, Lower Wendham",
)

# Each entry names a method of `Paper` and what it is given, in the order of reading.
CONTENT: list[tuple[str, dict[str, Any]]] = [
    ("heading", {"text": "Abstract"}),
    ("text", {"label": "abstract", "text": (
        "Owners of garden ponds often ask how much water they should expect to lose in a dry summer. We read the "
        "level of twelve ponds once a week from April to September and recorded wind, shade and planting. The "
        "median pond lost 31 mm per week in July, and the most exposed pond lost 52 mm. A model with only two "
        "measured quantities explains 83 percent of the weekly loss. Shade matters more than depth, and a hedge on "
        "the windy side saves about as much water as covering a fifth of the surface."
    )}),
    ("heading", {"text": "1 Introduction"}),
    ("text", {"text": (
        "A small pond is an open dish. It gives water to the air on every warm day and receives it back only when "
        "it rains. Large lakes have been studied for more than a century, but the advice that is printed for "
        "gardeners still consists of rules of thumb, and the rules disagree. One popular guide tells its readers to "
        "add a bucket a day, another to wait until the pump runs dry."
    )}),
    ("text", {"text": (
        "Three things make a garden pond different from a lake. Its surface is small, so that dry air from the "
        "surrounding lawn reaches all of it. It is shallow and warms up within hours. And it usually has a rim of "
        "plants that drink from it and shelter it at the same time. Earlier work on farm tanks [1] and on roadside "
        "ditches [2] covers only the first two of these."
    )}),
    ("text", {"text": (
        "This paper makes two contributions. First, we publish the weekly readings of twelve ponds in one village "
        "over one season. Second, we fit a short formula that a gardener can use with a thermometer and a garden "
        "chair. The readings were taken by school pupils, and Section 4 discusses what that means for their error."
    )}),
    ("heading", {"text": "2 Ponds and Readings"}),
    ("text", {"text": (
        "The twelve ponds lie within two kilometres of each other. Their surfaces range from 3 to 41 square metres "
        "and their depths from 35 to 140 centimetres. None of them has a natural inflow. Each household agreed not "
        "to add water between Sunday evening and the reading on the following Sunday morning, and to write down the "
        "amount whenever it did."
    )}),
    ("figure", {"kind": "image", "caption": (
        "Figure 1: Section through a pond with the painted gauge that every household received."
    )}),
    ("text", {"text": (
        "Every pond was given a wooden gauge with marks at intervals of five millimetres (Figure 1). Rain was "
        "collected in a plain glass beside the gauge and was subtracted from the change in level. Wind was read from "
        "one instrument on the roof of the school. Shade was estimated in June from photographs, as the share of the "
        "surface that lies in shadow at noon. Table 1 lists four ponds that stand for the whole group."
    )}),
    ("table", {"caption": "Table 1: Four of the twelve ponds and their loss in July.", "columns": [70, 50, 50, 63],
               "ruled": False, "rows": [
                   ["Pond", "Area", "Shade", "Loss"], ["Mill Lane", "12.5", "0.40", "27.4"],
                   ["School", "41.0", "0.05", "52.1"], ["Orchard", "8.2", "0.75", "18.6"],
                   ["Chapel", "3.1", "0.30", "33.9"], ["Median", "9.8", "0.35", "31.0"],
               ]}),
    ("text", {"text": (
        "Of the 312 readings that were planned, 297 were taken. Holidays explain most of the gaps. We removed six "
        "readings where a dog, a child or a heron had visibly disturbed the gauge, which leaves 291 for the analysis."
    )}),
    ("heading", {"text": "3 A Formula for Gardeners"}),
    ("text", {"text": (
        "The loss of water from an open surface grows with the wind and with the difference between the vapour "
        "pressure at the surface and in the air. Instruments for the second quantity are expensive. We replace it by "
        "the warmth of the week and write the weekly loss as"
    )}),
    ("formula", {"parts": [("E", 0), (" = ", 0), ("k T", 0), (" (1 + 0.4 ", 0), ("u", 0), (") (1 - ", 0), ("s", 0),
                           (")", 0)], "text": "E = k T (1 + 0.4 u) (1 - s)", "number": "(1)"}),
    ("text", {"text": (
        "where E is the loss in millimetres per week, T the mean of the daily highest temperatures in degrees, u the "
        "mean wind in metres per second and s the share of the surface in shadow. The constant k was fitted to all "
        "readings from April to June and then left alone. Its value is 0.93, with a standard error of 0.04."
    )}),
    ("text", {"text": (
        "A hedge enters the formula through the wind alone. If it cuts the wind at the surface from one value to "
        "another, the water that it saves in a week is"
    )}),
    ("formula", {"parts": [("D", 0), (" = 0.4 ", 0), ("k T", 0), (" (", 0), ("u", 0), ("0", 3), (" - ", 0), ("u", 0),
                           ("1", 3), (")", 0)], "text": "D = 0.4 k T (u0 - u1)", "number": "(2)"}),
    ("text", {"text": (
        "so that a hedge is worth most in warm weeks. For a mean high of 26 degrees and a wind that drops from 2.0 to "
        "1.2 metres per second, the saving is close to eight millimetres, a quarter of the median loss in July."
    )}),
    ("figure", {"kind": "chart", "caption": (
        "Figure 2: Level of the Orchard pond (upper curve) and the School pond over twenty weeks, in centimetres."
    )}),
    ("heading", {"text": "4 Results"}),
    ("text", {"text": (
        "With the constant fixed in June, formula (1) explains 83 percent of the variance of the readings from July "
        "to September. Without shade it explains 55 percent, and without wind 71 percent. Depth adds nothing that we "
        "could measure once warmth is known. Figure 2 shows the two ponds at the ends of the range: both fall in the "
        "same weeks, but the shaded one falls half as fast."
    )}),
    ("text", {"text": (
        "The pupils read the gauges to the nearest five millimetres. To learn how well they did so, a second person "
        "repeated 40 readings on the same morning without knowing the first result. The two agreed in 33 cases and "
        "differed by one mark in the other seven. An error of this size is small against a weekly loss of 20 to 50 "
        "millimetres, but it sets a limit for cool weeks in April, when many ponds lose less than ten."
    )}),
    ("table", {"caption": "Table 2: Measures against loss, with cost and saving in a July week.",
               "columns": [96, 62, 75], "ruled": True, "rows": [
                   ["Measure", "Cost", "Saving"], ["Hedge", "120", "7.7 mm"], ["Shade sail", "85", "9.3 mm"],
                   ["Floating plants", "40", "5.9 mm"], ["Deeper basin", "600", "0.4 mm"],
               ]}),
    ("text", {"text": (
        "Table 2 compares four measures that households asked about. Costs are for a pond of ten square metres and "
        "include material only. A sail that shades a third of the surface is the cheapest lasting measure per "
        "millimetre saved. Floating plants are cheaper still, but they must be thinned out twice in a season, and two "
        "households gave up on them in August."
    )}),
    ("heading", {"text": "5 Discussion"}),
    ("text", {"text": (
        "Why does depth not matter? A deep pond stays cool for longer in spring and should lose less in May. Our "
        "readings show this effect, but it amounts to two millimetres per week at most and has gone by the middle of "
        "June. A second surprise is the school pond, which lies in full sun and wind and is the largest of all. It "
        "loses more per square metre than ponds of a third of its size, although large lakes lose less than small "
        "ones. We suspect the dark paving around it, which reaches 50 degrees at noon."
    )}),
    ("text", {"text": (
        "Households asked most often about floating plants. Their leaves cover the surface but give off water "
        "themselves. In two ponds we removed half of the plants for three weeks and put them back for another three. "
        "The loss rose by six millimetres per week without them, which suggests that cover outweighs thirst."
    )}),
    ("heading", {"text": "6 Limits of this Study"}),
    ("text", {"text": (
        "One season in one village is a narrow base. The summer was dry and had only two thunderstorms; a wet year "
        "would test the subtraction of rain far harder. All ponds are lined with foil, so that nothing is known about "
        "seepage through clay. We also did not count birds, although a flock of starlings can splash several litres "
        "out of a shallow basin in one visit."
    )}),
    ("heading", {"text": "7 Conclusion"}),
    ("text", {"text": (
        "A garden pond in an open place must be given about five centimetres of water in a hot week, and a shaded one "
        "less than two. Both numbers follow from a formula with a single constant. We recommend a sail or a hedge "
        "before any digging. The gauges stay in place, and the readings of the coming season will show whether the "
        "constant holds in a wetter year."
    )}),
    ("heading", {"text": "References"}),
    ("references", {"entries": [
        "P. Hollis and R. Dane. Losses from farm tanks in dry summers. Rural Water Notes, 11(3):41-52, 2009.",
        "E. Marchetti. Standing water in roadside ditches. Journal of Minor Hydrology, 7:118-131, 2014.",
        "K. Sato and B. Lind. Reading gauges with untrained observers. Field Methods, 22(1):5-17, 2017.",
        "T. Novak. Hedges, wind and open water. Garden Science Quarterly, 3(4):201-215, 2020.",
        "A. Femi and C. Roth. Shade estimates from photographs. Small Instruments, 15:77-85, 2022.",
    ]}),
]  # fmt: skip
