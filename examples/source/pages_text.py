"""What the pictures say. Written for this project; names, places and numbers are invented."""
# ruff: noqa: E501, RUF001, ISC004  (prose; Chinese punctuation; strings broken for width)

ITEMS = [
    ("Hex bolt M8 x 40, zinc plated", 250, 0.18),
    ("Stainless washer, 8 mm", 250, 0.06),
    ("Hydraulic hose 3/8 in, 2 m", 6, 24.90),
    ("Ball bearing 6204-2RS", 24, 5.35),
    ("Conveyor belt splice kit", 2, 89.50),
    ("Control cable 4 x 0.75 mm", 100, 1.12),
    ("Safety switch, type B", 4, 37.20),
    ("Lubricant spray, 400 ml", 12, 6.45),
    ("Mounting bracket, left", 8, 11.80),
    ("Delivery and handling", 1, 28.00),
]
TERMS = (
    "Please transfer the total amount within 30 days to IBAN DE89 3704 0044 0532 0130 00, quoting the invoice "
    "number. Goods remain our property until payment has been received in full."
)
THANKS = "Thank you for your order. Questions about this invoice are answered on weekdays from 8 to 16 hours."

CHINESE_INTRO = (
    "青禾社区图书馆位于老城区的河边，现有藏书四万二千册，座位一百六十个。本报告统计了今年第二季度的借阅情况，"
    "并与去年同期进行比较。数据来自自助借还系统，不包括馆内阅览的图书。"
)
CHINESE_SECTIONS = [
    ("一、总体情况", [
        "本季度共借出图书一万八千六百册，比去年同期增长百分之十二。持证读者达到七千三百人，其中新办证的读者有九百一十人。"
        "周末的借阅量约占全周的一半，星期六下午最为集中，平均每小时办理借还手续一百二十次。",
        "读者的年龄分布也有变化。六十岁以上的读者增加最快，他们多在工作日上午到馆，借阅的图书以历史、养生和园艺为主。"
        "中小学生在六月考试结束以后明显增多，漫画和科普读物常常需要预约。",
    ]),
    ("二、分类统计", [
        "表1列出了五类图书的借阅数量。儿童读物仍然居于首位，文学类图书稳步增长，科学技术类图书的增幅最大，"
        "这与五月举办的机器人展览有关。",
    ]),
    ("三、下一步工作", [
        "第三季度计划延长周末的开放时间，晚上九点闭馆。同时增购大字版图书五百册，并在二楼设立园艺专架。"
        "自助借还机将由三台增加到五台，以缩短星期六下午的排队时间。欢迎读者通过服务台的意见簿提出建议。",
    ]),
]  # fmt: skip
CHINESE_CAPTION = "表1　五类图书的借阅数量（册）"
CHINESE_TABLE = [
    ["类别", "去年册数", "今年册数", "增长"],
    ["儿童读物", "5820", "6410", "10.1%"],
    ["文学", "4360", "4790", "9.9%"],
    ["历史地理", "2950", "3180", "7.8%"],
    ["科学技术", "1740", "2230", "28.2%"],
    ["生活园艺", "1730", "1990", "15.0%"],
]

MINUTES = [
    ("1. Welcome and apologies", [
        "The chair opened the meeting at half past seven in the reading room of the old school. Twenty-three members "
        "were present. Apologies had been received from Mrs Fenwick and from the brothers Hale.",
    ]),
    ("2. Water supply", [
        "Mr Okafor reported that the pump at the north gate had been repaired in February at a cost of 340 pounds. "
        "The pressure is now sufficient for all plots except numbers 41 to 44, which lie above the tank. It was agreed "
        "to place a second barrel there before the end of May.",
        "Members were reminded that hoses may be used only before nine in the morning and after six in the evening.",
    ]),
    ("3. Rents for the coming year", [
        "The treasurer proposed to leave the rent of a full plot at 48 pounds and to raise the rent of a half plot "
        "from 26 to 28 pounds. The proposal was carried with nineteen votes in favour, three against and one abstention.",
    ]),
    ("4. Summer fair", [
        "The fair will be held on Saturday 18 July. Miss Arden asked for help with the cake stall and for the loan of "
        "four long tables. Anyone who can drive a trailer is asked to speak to the secretary after the meeting.",
    ]),
    ("5. Any other business", [
        "A fox has been seen near the compost heaps on several evenings. Members are asked to close the lids. The next "
        "meeting will take place on 9 September in the same room. The chair closed the meeting at ten minutes to nine.",
    ]),
]  # fmt: skip
