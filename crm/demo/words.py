"""Word lists of the generated companies. All names are made up of these parts; a real one met is chance."""

from __future__ import annotations


def _words(text: str) -> list[str]:
    return text.split()


def _phrases(text: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in text.split(",")]


# In the order of users.access.Role.
DEMO_NAMES = {
    "Central": ("Ana Moreau", "Sam Okafor", "Mo Lindqvist", "Xia Feng", "Ivy Castellan", "Ada Brandt"),
    "East": ("Eve Novak", "Ravi Menon", "Lena Hoffmann", "Tomas Ferreira", "Jun Sato", "Zoe Whitfield"),
}

# (seller, manager, office): stands in where the company's own list is not at hand.
SALES_TEAMS = (
    ("Nora Ashdown", "Frank Delgado", "Central"),
    ("Peter Quist", "Frank Delgado", "Central"),
    ("Selma Baird", "Frank Delgado", "Central"),
    ("Hugo Lambert", "Frank Delgado", "Central"),
    ("Grace Tanaka", "Ruth Eklund", "East"),
    ("Oscar Vidal", "Ruth Eklund", "East"),
    ("Irene Kowalski", "Ruth Eklund", "East"),
    ("Felix Brennan", "Ruth Eklund", "East"),
    ("Clara Jensen", "Victor Hale", "West"),
    ("Dario Conti", "Victor Hale", "West"),
    ("Maya Pillai", "Victor Hale", "West"),
    ("Simon Archer", "Victor Hale", "West"),
)

# (industry, as a Western name says it, as a Chinese name says it, the Chinese part in English)
INDUSTRIES = (
    ("technology", "Technologies", "科技", "Technology"),
    ("technology", "Systems", "信息技术", "Information Technology"),
    ("software", "Software", "软件", "Software"),
    ("medical", "Medical", "医疗器械", "Medical Devices"),
    ("medical", "Pharma", "医药", "Pharmaceutical"),
    ("retail", "Stores", "商贸", "Trading"),
    ("retail", "Foods", "食品", "Food"),
    ("finance", "Capital", "金融服务", "Financial Services"),
    ("telecommunications", "Telecom", "通信", "Communications"),
    ("manufacturing", "Industries", "机械制造", "Machinery"),
    ("manufacturing", "Automotive", "汽车零部件", "Auto Parts"),
    ("logistics", "Logistics", "物流", "Logistics"),
    ("energy", "Energy", "能源", "Energy"),
    ("education", "Learning", "教育", "Education"),
    ("marketing", "Media", "文化传媒", "Culture & Media"),
    ("services", "Services", "企业服务", "Business Services"),
)
WESTERN_HEADS = _words(
    """
    Alder Amber Apex Arden Ash Atlas Aurora Bay Beacon Birch Black Blue Bright Bridge Cedar Clear Cliff Copper Coral Crest Crown
    Delta East Echo Elm Ever Fair Falcon Fern First Flint Forest Frost Glen Gold Granite Green Grey Harbor Haven Hawk Hazel High
    Hill Horizon Iron Ivy Juniper Keystone Lake Laurel Liberty Light Lime Lion Long Maple Marble Meadow Mill Moon New Noble North
    Oak Ocean Olive Orchid Pacific Park Pearl Pine Pioneer Prime Quartz Raven Red Ridge River Rock Rose Sage Sand Silver Sky Solar
    South Spring Star Steel Stone Storm Summit Sun Swift Terra Thorn Tide Timber Union Vale Vega Vine West White Wild Willow
    Winter
    """
)
WESTERN_TAILS = _words(
    """
    bank bay beck berg borne bourne bridge brook burn bury cliff combe court crest croft dale den field fleet ford forge gate
    glade grove ham harbor haven hill hold holm hurst land lane leigh line mark mere mill mont more moor path peak point pool port
    ridge shore side stead stone strand thorpe tide ton tower vale view ville wall ware water way well wick wind wood worth yard
    """
)
WESTERN_FIRST_NAMES = _words(
    """
    Adam Agnes Alba Alex Alice Amara Andre Anna Anton Aria Bella Ben Bianca Boris Bruno Carla Carlos Chiara Chloe Clara Daniel
    David Diana Diego Dora Edith Elena Elias Elsa Emil Emma Enzo Erik Esther Eva Fatima Felix Fiona Frank George Greta Hana Hannah
    Hans Helen Henry Hugo Ida Igor Ines Irene Isaac Ivan Jack James Jana Jasper Joan Joel Julia Karen Karl Kate Keira Laura Leo
    Lena Liam Lina Lucas Lucy Magnus Maria Mark Marta Max Maya Mila Nadia Nathan Nina Noah Nora Olga Oliver Omar Oscar Otto Paula
    Pedro Petra Philip Priya Quinn Ralph Rita Robert Rosa Ruth Samuel Sara Simon Sofia Stefan Sven Tara Teresa Theo Thomas Tim
    Ursula Vera Victor Walter Wendy Yara Yusuf Zara Zoe
    """
)
WESTERN_SURNAMES = _words(
    """
    Abbott Adler Albrecht Alvarez Andersen Archer Baker Barnes Bauer Becker Bell Bennett Berg Bishop Blake Brandt Brooks Bruno
    Burke Carter Castro Chapman Clarke Cole Conti Cooper Costa Cruz Dahl Davies Delgado Diaz Dubois Duncan Eklund Ellis Eriksen
    Esposito Evans Farrell Ferrari Fischer Fletcher Flores Foster Fox Fuchs Garcia Gibson Gomez Graham Grant Greco Gruber Haas
    Hall Hansen Harper Hartmann Hayes Hill Hoffmann Holm Hughes Hunt Ito Jansen Jensen Johansson Jones Kaiser Keller Kelly Khan
    King Klein Kovacs Kruger Lambert Lang Larsen Lehmann Leroy Lewis Lind Lopez Lund Marino Marsh Martin Mason Meyer Miller Moore
    Moreau Morgan Morris Murphy Nagy Nielsen Novak Nunez Olsen Ortiz Osborn Palmer Parker Patel Pereira Peters Price Quinn Ramos
    Reed Reyes Ricci Richter Rivera Roberts Romero Rossi Russo Santos Sato Schmidt Schneider Schulz Shaw Silva Simmons Singh Stein
    Stone Tanaka Taylor Torres Turner Vargas Vogel Wagner Walsh Ward Weber Wells Werner Wolf Wood Young Ziegler Zimmermann
    """
)
CHINESE_BRAND_HEADS = "华信达鑫瑞恒泰安博智远创联盛德嘉宏通辰睿中科海天云新明东金永国兴万凯富康亿隆"
CHINESE_BRAND_TAILS = "信达源峰泰安博诚远创联盛德嘉宏通辰睿科海天云新明方鼎永兴阳凯康隆成立业景"
CHINESE_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
CHINESE_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国文斌宇浩然子轩欣怡雨桐晨佳琪思远志鹏晓东海燕婷雪琳凯"
CHINESE_FORMS = (("有限公司", "Co., Ltd."), ("股份有限公司", "Corp."), ("集团有限公司", "Group Co., Ltd."))

# (city, its English name, region)
CHINESE_CITIES = (
    ("北京", "Beijing", "Beijing"),
    ("上海", "Shanghai", "Shanghai"),
    ("广州", "Guangzhou", "Guangdong"),
    ("深圳", "Shenzhen", "Guangdong"),
    ("杭州", "Hangzhou", "Zhejiang"),
    ("宁波", "Ningbo", "Zhejiang"),
    ("南京", "Nanjing", "Jiangsu"),
    ("苏州", "Suzhou", "Jiangsu"),
    ("成都", "Chengdu", "Sichuan"),
    ("武汉", "Wuhan", "Hubei"),
    ("西安", "Xi'an", "Shaanxi"),
    ("重庆", "Chongqing", "Chongqing"),
    ("天津", "Tianjin", "Tianjin"),
    ("青岛", "Qingdao", "Shandong"),
    ("大连", "Dalian", "Liaoning"),
    ("厦门", "Xiamen", "Fujian"),
    ("长沙", "Changsha", "Hunan"),
    ("合肥", "Hefei", "Anhui"),
)
# (country, legal forms, cities with their region, prefixes of phone numbers that are kept free for films and examples)
WESTERN_COUNTRIES = (
    (
        "US",
        ("Inc.", "LLC", "Corp."),
        (("Chicago", "Illinois"), ("Boston", "Massachusetts"), ("Austin", "Texas")),
        ("+13125550", "+16175550"),
    ),
    ("GB", ("Ltd", "plc"), (("London", "England"), ("Leeds", "England"), ("Glasgow", "Scotland")), ("+442079460",)),
    ("DE", ("GmbH", "AG"), (("Berlin", "Berlin"), ("Hamburg", "Hamburg"), ("Munich", "Bavaria")), ("+493023125",)),
    ("FR", ("SAS", "SARL"), (("Paris", "Île-de-France"), ("Lyon", "Auvergne-Rhône-Alpes")), ("+33199001",)),
    ("NL", ("B.V.",), (("Amsterdam", "Noord-Holland"), ("Utrecht", "Utrecht")), ("+31201000",)),
)
STREETS = _phrases(
    """
    Station Road, Market Street, Mill Lane, Harbour Street, Church Road, Park Avenue, King Street, Bridge Street, High Street,
    Garden Way
    """
)
CHINESE_STREETS = _phrases(
    """
    中山路, 人民路, 解放路, 建设路, 科技园路, 南京路, 长江路, 黄河路, 和平路, 新华路
    """
)

TAGS = ("key account", "reference", "tender", "public sector", "export", "newsletter", "partner deal", "audit 2026")
ACQUISITION_SOURCES = ("referral", "trade fair", "web", "cold call", "partner", "tender", "campaign")

# (code, name, category, unit price, unit cost): cheapest first, as the generator looks them up by price.
PRODUCTS = (
    ("CAB-6A", "Patch cable set", "Accessories", 29, 14),
    ("AV-1Y", "Endpoint protection, 1 year", "Software", 48, 17),
    ("DOCK-2", "Docking station", "Accessories", 139, 88),
    ("HELP-H", "Help desk, per hour", "Services", 95, 61),
    ("MON-27", "27-inch monitor", "Workstations", 265, 190),
    ("BKP-1T", "Cloud backup, 1 TB a year", "Software", 420, 160),
    ("AP-6", "Wireless access point", "Network", 510, 335),
    ("NB-14", "14-inch notebook", "Workstations", 1_090, 840),
    ("ENG-D", "Engineer on site, per day", "Services", 1_180, 760),
    ("SW-48", "48-port switch", "Network", 1_950, 1_290),
    ("WS-P", "Engineering workstation", "Workstations", 2_860, 2_150),
    ("FW-200", "Firewall 200", "Network", 3_900, 2_380),
    ("VIRT-S", "Virtualisation, per host", "Software", 4_600, 1_700),
    ("SRV-1U", "Server 1U", "Servers", 6_700, 4_900),
    ("ERP-25", "ERP, 25 users", "Software", 11_500, 3_900),
    ("NAS-48", "Storage 48 TB", "Storage", 14_800, 9_900),
    ("SRV-2U", "Server 2U", "Servers", 17_900, 12_600),
    ("MIG-P", "Migration project", "Services", 26_000, 18_400),
    ("SAN-200", "Storage array 200 TB", "Storage", 58_000, 38_500),
    ("DC-R", "Data-centre rack, turnkey", "Servers", 124_000, 86_000),
)
HARDWARE = frozenset({"Workstations", "Network", "Servers", "Storage"})
CONTRACT_TITLES = ("Maintenance", "Managed service", "Server care", "Network care", "Support line")

# kind, channel, direction, stage, weight, usual minutes; subjects in English; subjects in Chinese
CONVERSATIONS = (
    ("call", "phone", "outbound", "use", 24, 9,
     "Regular call, Follow-up on delivery, Renewal talked through, Care call, Price question answered",
     "定期回访, 交付跟进, 续约沟通, 关怀电话, 解答价格问题"),
    ("call", "phone", "inbound", "need", 13, 7,
     "Asked for a quote, Reported a fault, Asked about delivery, Wants a second site equipped",
     "询价, 报告故障, 询问交货期, 第二办公点采购需求"),
    ("mail", "mail", "outbound", "compare", 19, 5,
     "Quote sent, Data sheet sent, Minutes of our meeting, Invitation to the product day",
     "已发送报价, 已发送产品资料, 会议纪要, 产品日邀请"),
    ("mail", "mail", "inbound", "consider", 14, 4,
     "Question on the quote, Change of address, Order confirmed, Asked for references",
     "对报价的疑问, 地址变更, 订单确认, 索取案例"),
    ("visit", "in_person", "outbound", "choose", 6, 75,
     "Visit on site, Quarterly review, Workshop on requirements", "上门拜访, 季度回顾, 需求研讨"),
    ("meeting", "web", "outbound", "compare", 7, 40,
     "Video call on the project, Demonstration, Review of open points", "项目视频会议, 产品演示, 未决事项回顾"),
    ("message", "wechat", "inbound", "use", 8, 3,
     "Short question, Photo of the fault, Thanks for the quick help", "简短咨询, 故障照片, 感谢快速响应"),
    ("note", "system", "internal", "need", 5, 2,
     "Budget cycle noted, New decision maker, Competitor seen on site", "记录预算周期, 新决策人, 现场发现竞争对手"),
    ("survey", "web", "inbound", "use", 3, 2,
     "Satisfaction: very good, Satisfaction: good, Satisfaction: fair", "满意度：很好, 满意度：好, 满意度：一般"),
    ("event", "in_person", "outbound", "need", 1, 120,
     "Met at the trade fair, Guest at the product day", "展会会面, 产品日嘉宾"),
)  # fmt: skip
BODIES = (
    "Spoke about the current installation and what is planned for next year.",
    "Will come back to us after the budget round; reminded of the offer's date.",
    "Open points are with the technical contact, an answer is due by Friday.",
    "Happy with the last delivery. Asked whether the same terms hold for a branch.",
    "Two machines are out of warranty soon; a care contract would cover them.",
    "Compared us with another supplier on price; service was what spoke for us.",
)
CHINESE_BODIES = (
    "沟通了现有设备情况和明年的计划。",
    "预算评审后再联系，已提醒报价有效期。",
    "未决事项由技术负责人跟进，周五前答复。",
    "对上次交付满意，询问分公司能否享受同样条件。",
    "两台设备即将过保，建议签维保合同。",
    "与其他供应商比较了价格，我们的服务更受认可。",
)
OUTCOMES = ("reached", "wants a quote", "call again", "no need now", "order promised", "")
JOB_TITLES = ("Managing director", "Head of IT", "Purchasing manager", "Accountant", "System engineer", "Operations manager")
CHINESE_JOB_TITLES = ("总经理", "信息部主任", "采购经理", "财务主管", "系统工程师", "运营经理")
