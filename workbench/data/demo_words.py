"""The words of the demonstration set: syllables, values and sentence templates in ten languages.

Places have invented names of a few syllables, each of which has one form a script. All names end in `o` or `u`: such
names do not decline in Russian, and in Turkish they take one and the same set of suffixes. A value stands in the one
grammatical form that all templates of its attribute ask for, with its article where the language wants one.

Lists are aligned: the n-th syllable, value or term is the same in every script or language.
"""

Wordings = dict[str, str]
"""A list by script or language, as one string: names apart by spaces, values by `, `."""

SCRIPTS = {"ar": "arabic", "hi": "devanagari", "ru": "cyrillic", "zh": "chinese"}
"""The script of a language's names; all others write them in Latin letters."""

STEMS: Wordings = {
    "latin": "bar dan dil fer gal kor lan lir mar mel nor pel ras rin sal sor tan tol var ven zan zel",
    "arabic": "بار دان ديل فير غال كور لان لير مار ميل نور بيل راس رين سال سور تان تول فار فين زان زيل",
    "cyrillic": "бар дан дил фер гал кор лан лир мар мел нор пел рас рин сал сор тан тол вар вен зан зел",
    "devanagari": "बार दान दिल फेर गाल कोर लान लिर मार मेल नोर पेल रास रिन साल सोर तान तोल वार वेन ज़ान ज़ेल",
    "chinese": "巴 丹 迪 费 加 柯 兰 利 玛 梅 诺 佩 拉 林 萨 索 坦 托 瓦 文 赞 泽",
}

ENDINGS: Wordings = {
    "latin": "bo du go ko lo mu nu ru su tu",
    "arabic": "بو دو غو كو لو مو نو رو سو تو",
    "cyrillic": "бо ду го ко ло му ну ру су ту",
    "devanagari": "बो दू गो को लो मू नू रू सू तू",
    "chinese": "博 杜 戈 科 洛 穆 努 鲁 苏 图",
}

# fmt: off
ARTICLES = frozenset({
    "a", "an", "the", "ein", "eine", "un", "una", "une", "el", "la", "du", "de", "des", "um", "uma", "bir", "एक",
})
# fmt: on
"""What may stand before a value's own word; the lexicon leaves it out."""

TERMS: Wordings = {
    "ar": "لون علم جسر مؤسس شهر مهرجان أبراج حيوان شجرة بوابة أهل أكل آلة البحيرة سوق يوم المكان النهر",
    "de": "Farbe Flagge Brücke Gründer Monat Fest Türme Tier Baum Tor Leute essen Instrument See Markt Tag Ort Fluss",
    "en": "colour flag bridge founder month festival towers animal tree gate people eat instrument lake market day "
    "place river",
    "es": "color bandera puente fundador mes fiesta torres animal árbol puerta gente comer instrumento lago mercado "
    "día lugar río",
    "fr": "couleur drapeau pont fondateur mois fête tours animal arbre porte gens manger instrument lac marché jour "
    "lieu rivière",
    "hi": "रंग झंडा पुल संस्थापक महीने मेला मीनारें जानवर पेड़ द्वार लोग खाना वाद्य झील बाज़ार दिन जगह नदी",
    "pt": "cor bandeira ponte fundador mês festa torres animal árvore portão gente comer instrumento lago mercado dia "
    "lugar rio",
    "ru": "цвета флаг мост основатель месяце праздник башен животное дерево ворот жители есть инструменте озеро рынок "
    "дням место реку",
    "tr": "renk bayrağı köprüsünde kurucusu ayda şenliği kulesi hayvan ağaç kapısında halkı yemeyi çalgıyı göl pazar "
    "gün yer nehir",
    "zh": "颜色 旗帜 桥 创建者 月 节日 塔 动物 树 城门 人们 吃 乐器 湖 集市 天 地方 河",
}
"""Words of the templates in a form in which they stand there, for the lexicon."""

VALUES: dict[str, Wordings] = {
    "kind": {
        "ar": "قرية, بلدة, مدينة, قلعة, حصن, دير, وادٍ, ميناء",
        "de": "ein Dorf, eine Kleinstadt, eine Stadt, ein Schloss, eine Festung, ein Kloster, ein Tal, ein Hafen",
        "en": "a village, a town, a city, a castle, a fortress, a monastery, a valley, a port",
        "es": "un pueblo, una villa, una ciudad, un castillo, una fortaleza, un monasterio, un valle, un puerto",
        "fr": "un village, un bourg, une ville, un château, une forteresse, un monastère, une vallée, un port",
        "hi": "एक गाँव, एक कस्बा, एक शहर, एक महल, एक किला, एक मठ, एक घाटी, एक बंदरगाह",
        "pt": "uma aldeia, uma vila, uma cidade, um castelo, uma fortaleza, um mosteiro, um vale, um porto",
        "ru": "деревня, городок, город, замок, крепость, монастырь, долина, порт",
        "tr": "bir köy, bir kasaba, bir şehir, bir şato, bir kale, bir manastır, bir vadi, bir liman",
        "zh": "村庄, 小镇, 城市, 城堡, 要塞, 修道院, 山谷, 港口",
    },
    "colour": {
        "ar": "أحمر, أزرق, أخضر, أبيض, أسود, أصفر, رمادي, بني, بنفسجي",
        "de": "rot, blau, grün, weiß, schwarz, gelb, grau, braun, lila",
        "en": "red, blue, green, white, black, yellow, grey, brown, purple",
        "es": "roja, azul, verde, blanca, negra, amarilla, gris, marrón, morada",
        "fr": "rouge, bleu, vert, blanc, noir, jaune, gris, marron, violet",
        "hi": "लाल, नीला, हरा, सफ़ेद, काला, पीला, स्लेटी, भूरा, बैंगनी",
        "pt": "vermelha, azul, verde, branca, preta, amarela, cinza, marrom, roxa",
        "ru": "красный, синий, зелёный, белый, чёрный, жёлтый, серый, коричневый, фиолетовый",
        "tr": "kırmızı, mavi, yeşil, beyaz, siyah, sarı, gri, kahverengi, mor",
        "zh": "红色, 蓝色, 绿色, 白色, 黑色, 黄色, 灰色, 棕色, 紫色",
    },
    "material": {
        "ar": "الخشب, الحجر, الرخام, الغرانيت, الحديد, النحاس, البرونز, الزجاج, الخيزران, الخرسانة",
        "de": "Holz, Stein, Marmor, Granit, Eisen, Kupfer, Bronze, Glas, Bambus, Beton",
        "en": "wood, stone, marble, granite, iron, copper, bronze, glass, bamboo, concrete",
        "es": "madera, piedra, mármol, granito, hierro, cobre, bronce, vidrio, bambú, hormigón",
        "fr": "bois, pierre, marbre, granit, fer, cuivre, bronze, verre, bambou, béton",
        "hi": "लकड़ी, पत्थर, संगमरमर, ग्रेनाइट, लोहे, ताँबे, काँसे, काँच, बाँस, कंक्रीट",
        "pt": "madeira, pedra, mármore, granito, ferro, cobre, bronze, vidro, bambu, concreto",
        "ru": "дерева, камня, мрамора, гранита, железа, меди, бронзы, стекла, бамбука, бетона",
        "tr": "ahşap, taş, mermer, granit, demir, bakır, bronz, cam, bambu, beton",
        "zh": "木头, 石头, 大理石, 花岗岩, 铁, 铜, 青铜, 玻璃, 竹子, 混凝土",
    },
    "founder": {
        "ar": "خباز, حداد, خياط, صياد, رسام, معلم, خزاف, نساج, بستاني, نجار",
        "de": "Bäcker, Schmied, Schneider, Fischer, Maler, Lehrer, Töpfer, Weber, Gärtner, Tischler",
        "en": "a baker, a smith, a tailor, a fisherman, a painter, a teacher, a potter, a weaver, a gardener, "
        "a carpenter",
        "es": "panadero, herrero, sastre, pescador, pintor, maestro, alfarero, tejedor, jardinero, carpintero",
        "fr": "boulanger, forgeron, tailleur, pêcheur, peintre, professeur, potier, tisserand, jardinier, menuisier",
        "hi": "नानबाई, लोहार, दर्ज़ी, मछुआरा, चित्रकार, शिक्षक, कुम्हार, बुनकर, माली, बढ़ई",
        "pt": "padeiro, ferreiro, alfaiate, pescador, pintor, professor, oleiro, tecelão, jardineiro, carpinteiro",
        "ru": "пекарь, кузнец, портной, рыбак, художник, учитель, гончар, ткач, садовник, плотник",
        "tr": "fırıncı, demirci, terzi, balıkçı, ressam, öğretmen, çömlekçi, dokumacı, bahçıvan, marangoz",
        "zh": "面包师, 铁匠, 裁缝, 渔夫, 画家, 教师, 陶工, 织工, 园丁, 木匠",
    },
    "month": {
        "ar": "يناير, فبراير, مارس, أبريل, مايو, يونيو, يوليو, أغسطس, سبتمبر, أكتوبر, نوفمبر, ديسمبر",
        "de": "Januar, Februar, März, April, Mai, Juni, Juli, August, September, Oktober, November, Dezember",
        "en": "January, February, March, April, May, June, July, August, September, October, November, December",
        "es": "enero, febrero, marzo, abril, mayo, junio, julio, agosto, septiembre, octubre, noviembre, diciembre",
        "fr": "janvier, février, mars, avril, mai, juin, juillet, août, septembre, octobre, novembre, décembre",
        "hi": "जनवरी, फ़रवरी, मार्च, अप्रैल, मई, जून, जुलाई, अगस्त, सितंबर, अक्टूबर, नवंबर, दिसंबर",
        "pt": "janeiro, fevereiro, março, abril, maio, junho, julho, agosto, setembro, outubro, novembro, dezembro",
        "ru": "январе, феврале, марте, апреле, мае, июне, июле, августе, сентябре, октябре, ноябре, декабре",
        "tr": "ocak, şubat, mart, nisan, mayıs, haziran, temmuz, ağustos, eylül, ekim, kasım, aralık",
        "zh": "一月, 二月, 三月, 四月, 五月, 六月, 七月, 八月, 九月, 十月, 十一月, 十二月",
    },
    # no number below five: Russian counts those with another case; none that is two words in Arabic
    "towers": {
        "ar": "خمسة, ستة, سبعة, ثمانية, تسعة, عشرة, عشرون, ثلاثون, أربعون, خمسون",
        "de": "fünf, sechs, sieben, acht, neun, zehn, zwanzig, dreißig, vierzig, fünfzig",
        "en": "five, six, seven, eight, nine, ten, twenty, thirty, forty, fifty",
        "es": "cinco, seis, siete, ocho, nueve, diez, veinte, treinta, cuarenta, cincuenta",
        "fr": "cinq, six, sept, huit, neuf, dix, vingt, trente, quarante, cinquante",
        "hi": "पाँच, छह, सात, आठ, नौ, दस, बीस, तीस, चालीस, पचास",
        "pt": "cinco, seis, sete, oito, nove, dez, vinte, trinta, quarenta, cinquenta",
        "ru": "пять, шесть, семь, восемь, девять, десять, двадцать, тридцать, сорок, пятьдесят",
        "tr": "beş, altı, yedi, sekiz, dokuz, on, yirmi, otuz, kırk, elli",
        "zh": "五, 六, 七, 八, 九, 十, 二十, 三十, 四十, 五十",
    },
    "animal": {
        "ar": "أسد, دب, ذئب, ثعلب, حصان, ثور, كلب, دلفين, ثعبان, نسر",
        "de": "ein Löwe, ein Bär, ein Wolf, ein Fuchs, ein Pferd, ein Stier, ein Hund, ein Delfin, eine Schlange, "
        "ein Adler",
        "en": "a lion, a bear, a wolf, a fox, a horse, a bull, a dog, a dolphin, a snake, an eagle",
        "es": "un león, un oso, un lobo, un zorro, un caballo, un toro, un perro, un delfín, una serpiente, un águila",
        "fr": "un lion, un ours, un loup, un renard, un cheval, un taureau, un chien, un dauphin, un serpent, un aigle",
        "hi": "शेर, भालू, भेड़िये, लोमड़ी, घोड़े, बैल, कुत्ते, डॉल्फ़िन, साँप, चील",
        "pt": "um leão, um urso, um lobo, uma raposa, um cavalo, um touro, um cão, um golfinho, uma serpente, "
        "uma águia",
        "ru": "лев, медведь, волк, лиса, лошадь, бык, собака, дельфин, змея, орёл",
        "tr": "bir aslan, bir ayı, bir kurt, bir tilki, bir at, bir boğa, bir köpek, bir yunus, bir yılan, bir kartal",
        "zh": "狮子, 熊, 狼, 狐狸, 马, 公牛, 狗, 海豚, 蛇, 老鹰",
    },
    "tree": {
        "ar": "بلوط, بتولا, صنوبر, صفصاف, نخيل, تين, أرز, سرو, كستناء, حور",
        "de": "eine Eiche, eine Birke, eine Kiefer, eine Weide, eine Palme, ein Feigenbaum, eine Zeder, "
        "eine Zypresse, eine Kastanie, eine Pappel",
        "en": "oak, birch, pine, willow, palm, fig, cedar, cypress, chestnut, poplar",
        "es": "un roble, un abedul, un pino, un sauce, una palmera, una higuera, un cedro, un ciprés, un castaño, "
        "un álamo",
        "fr": "un chêne, un bouleau, un pin, un saule, un palmier, un figuier, un cèdre, un cyprès, un châtaignier, "
        "un peuplier",
        "hi": "बलूत, भोजपत्र, चीड़, विलो, ताड़, अंजीर, देवदार, सरू, शाहबलूत, पॉपलर",
        "pt": "um carvalho, uma bétula, um pinheiro, um salgueiro, uma palmeira, uma figueira, um cedro, "
        "um cipreste, um castanheiro, um choupo",
        "ru": "дуб, берёза, сосна, ива, пальма, смоковница, кедр, кипарис, каштан, тополь",
        "tr": "meşe, huş, çam, söğüt, palmiye, incir, sedir, servi, kestane, kavak",
        "zh": "橡树, 桦树, 松树, 柳树, 棕榈树, 无花果树, 雪松, 柏树, 栗树, 杨树",
    },
    "food": {
        "ar": "الأرز, الخبز, الجبن, المعكرونة, السمك, العسل, الفاصوليا, الجزر, الفطر, العدس",
        "de": "Reis, Brot, Käse, Nudeln, Fisch, Honig, Bohnen, Karotten, Pilze, Linsen",
        "en": "rice, bread, cheese, noodles, fish, honey, beans, carrots, mushrooms, lentils",
        "es": "arroz, pan, queso, fideos, pescado, miel, frijoles, zanahorias, setas, lentejas",
        "fr": "du riz, du pain, du fromage, des nouilles, du poisson, du miel, des haricots, des carottes, "
        "des champignons, des lentilles",
        "hi": "चावल, रोटी, पनीर, नूडल्स, मछली, शहद, राजमा, गाजर, मशरूम, दाल",
        "pt": "arroz, pão, queijo, macarrão, peixe, mel, feijão, cenouras, cogumelos, lentilhas",
        "ru": "рис, хлеб, сыр, лапшу, рыбу, мёд, фасоль, морковь, грибы, чечевицу",
        "tr": "pilav, ekmek, peynir, makarna, balık, bal, fasulye, havuç, mantar, mercimek",
        "zh": "米饭, 面包, 奶酪, 面条, 鱼, 蜂蜜, 豆子, 胡萝卜, 蘑菇, 扁豆",
    },
    "instrument": {
        "ar": "الكمان, الناي, الطبل, الغيتار, القيثارة, البوق, البيانو, العود, الكلارينيت, المندولين",
        "de": "Geige, Flöte, Trommel, Gitarre, Harfe, Trompete, Klavier, Laute, Klarinette, Mandoline",
        "en": "the violin, the flute, the drum, the guitar, the harp, the trumpet, the piano, the lute, "
        "the clarinet, the mandolin",
        "es": "el violín, la flauta, el tambor, la guitarra, el arpa, la trompeta, el piano, el laúd, el clarinete, "
        "la mandolina",
        "fr": "du violon, de la flûte, du tambour, de la guitare, de la harpe, de la trompette, du piano, du luth, "
        "de la clarinette, de la mandoline",
        "hi": "वायलिन, बाँसुरी, ढोल, गिटार, हार्प, तुरही, पियानो, वीणा, क्लैरिनेट, मैंडोलिन",
        "pt": "violino, flauta, tambor, guitarra, harpa, trompete, piano, alaúde, clarinete, bandolim",
        "ru": "скрипке, флейте, барабане, гитаре, арфе, трубе, пианино, лютне, кларнете, мандолине",
        "tr": "keman, flüt, davul, gitar, arp, trompet, piyano, ut, klarnet, mandolin",
        "zh": "小提琴, 长笛, 鼓, 吉他, 竖琴, 小号, 钢琴, 琵琶, 单簧管, 曼陀林",
    },
    "direction": {
        "ar": "شمال, جنوب, شرق, غرب, شمال شرق, شمال غرب, جنوب شرق, جنوب غرب",
        "de": "nördlich, südlich, östlich, westlich, nordöstlich, nordwestlich, südöstlich, südwestlich",
        "en": "north, south, east, west, northeast, northwest, southeast, southwest",
        "es": "norte, sur, este, oeste, noreste, noroeste, sureste, suroeste",
        "fr": "nord, sud, est, ouest, nord-est, nord-ouest, sud-est, sud-ouest",
        "hi": "उत्तर, दक्षिण, पूर्व, पश्चिम, उत्तर-पूर्व, उत्तर-पश्चिम, दक्षिण-पूर्व, दक्षिण-पश्चिम",
        "pt": "norte, sul, leste, oeste, nordeste, noroeste, sudeste, sudoeste",
        "ru": "северу, югу, востоку, западу, северо-востоку, северо-западу, юго-востоку, юго-западу",
        "tr": "kuzeyinde, güneyinde, doğusunda, batısında, kuzeydoğusunda, kuzeybatısında, güneydoğusunda, "
        "güneybatısında",
        "zh": "北面, 南面, 东面, 西面, 东北面, 西北面, 东南面, 西南面",
    },
    "weekday": {
        "ar": "الاثنين, الثلاثاء, الأربعاء, الخميس, الجمعة, السبت, الأحد",
        "de": "Montag, Dienstag, Mittwoch, Donnerstag, Freitag, Samstag, Sonntag",
        "en": "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday",
        "es": "lunes, martes, miércoles, jueves, viernes, sábado, domingo",
        "fr": "lundi, mardi, mercredi, jeudi, vendredi, samedi, dimanche",
        "hi": "सोमवार, मंगलवार, बुधवार, गुरुवार, शुक्रवार, शनिवार, रविवार",
        "pt": "segunda-feira, terça-feira, quarta-feira, quinta-feira, sexta-feira, sábado, domingo",
        "ru": "понедельникам, вторникам, средам, четвергам, пятницам, субботам, воскресеньям",
        "tr": "pazartesi, salı, çarşamba, perşembe, cuma, cumartesi, pazar",
        "zh": "星期一, 星期二, 星期三, 星期四, 星期五, 星期六, 星期日",
    },
}
"""The values of an attribute."""

Templates = dict[str, tuple[str, str, str]]
"""By language: a question and two sentences that answer it."""

TEMPLATES: dict[str, Templates] = {
    "kind": {
        "ar": ("ما نوع المكان المسمى {name}؟", "{name} {value} في هذه البلاد.", "المكان المسمى {name} هو {value}."),
        "de": ("Was für ein Ort ist {name}?", "{name} ist {value}.", "Der Ort namens {name} ist {value}."),
        "en": ("What kind of place is {name}?", "{name} is {value}.", "The place called {name} is {value}."),
        "es": ("¿Qué tipo de lugar es {name}?", "{name} es {value}.", "El lugar llamado {name} es {value}."),
        "fr": ("Quel genre de lieu est {name} ?", "{name} est {value}.", "Le lieu appelé {name} est {value}."),
        "hi": ("{name} किस प्रकार की जगह है?", "{name} {value} है।", "{name} नाम की जगह {value} है।"),
        "pt": ("Que tipo de lugar é {name}?", "{name} é {value}.", "O lugar chamado {name} é {value}."),
        "ru": ("Что за место {name}?", "{name} — это {value}.", "Место под названием {name} — {value}."),
        "tr": (
            "{name} nasıl bir yer?",
            "{name} denince akla {value} gelir.",
            "{name} adlı yer {value} olarak bilinir.",
        ),
        "zh": ("{name}是什么样的地方？", "{name}是一座{value}。", "名叫{name}的地方是一座{value}。"),
    },
    "colour": {
        "ar": ("ما لون علم {name}؟", "علم {name} لونه {value}.", "يرفرف فوق {name} علم {value}."),
        "de": (
            "Welche Farbe hat die Flagge von {name}?",
            "Die Flagge von {name} ist {value}.",
            "Über {name} weht eine Flagge, die ganz {value} ist.",
        ),
        "en": (
            "What colour is the flag of {name}?",
            "The flag of {name} is {value}.",
            "A {value} flag flies over {name}.",
        ),
        "es": (
            "¿De qué color es la bandera de {name}?",
            "La bandera de {name} es {value}.",
            "Sobre {name} ondea una bandera {value}.",
        ),
        "fr": (
            "De quelle couleur est le drapeau de {name} ?",
            "Le drapeau de {name} est {value}.",
            "Un drapeau {value} flotte sur {name}.",
        ),
        "hi": ("{name} के झंडे का रंग क्या है?", "{name} का झंडा {value} है।", "{name} के ऊपर {value} झंडा लहराता है।"),
        "pt": (
            "De que cor é a bandeira de {name}?",
            "A bandeira de {name} é {value}.",
            "Sobre {name} tremula uma bandeira {value}.",
        ),
        "ru": ("Какого цвета флаг {name}?", "Флаг {name} — {value}.", "Над {name} развевается {value} флаг."),
        "tr": (
            "{name}'nun bayrağı ne renk?",
            "{name}'nun bayrağı {value} renklidir.",
            "{name}'nun üzerinde {value} bir bayrak dalgalanır.",
        ),
        "zh": ("{name}的旗帜是什么颜色？", "{name}的旗帜是{value}的。", "{name}上空飘扬着{value}的旗帜。"),
    },
    "material": {
        "ar": (
            "من أي مادة صنع جسر {name}؟",
            "جسر {name} مصنوع من {value}.",
            "يعبر الناس النهر في {name} على جسر من {value}.",
        ),
        "de": (
            "Woraus besteht die Brücke von {name}?",
            "Die Brücke von {name} besteht aus {value}.",
            "In {name} überquert man den Fluss auf einer Brücke aus {value}.",
        ),
        "en": (
            "What is the bridge of {name} made of?",
            "The bridge of {name} is made of {value}.",
            "In {name} people cross the river on a bridge of {value}.",
        ),
        "es": (
            "¿De qué está hecho el puente de {name}?",
            "El puente de {name} está hecho de {value}.",
            "En {name} se cruza el río por un puente de {value}.",
        ),
        "fr": (
            "En quoi est fait le pont de {name} ?",
            "Le pont de {name} est fait en {value}.",
            "À {name}, on traverse la rivière sur un pont en {value}.",
        ),
        "hi": (
            "{name} का पुल किस चीज़ से बना है?",
            "{name} का पुल {value} से बना है।",
            "{name} में नदी पर {value} का पुल है।",
        ),
        "pt": (
            "De que é feita a ponte de {name}?",
            "A ponte de {name} é feita de {value}.",
            "Em {name}, atravessa-se o rio por uma ponte de {value}.",
        ),
        "ru": (
            "Из чего сделан мост в {name}?",
            "Мост в {name} сделан из {value}.",
            "В {name} через реку ведёт мост из {value}.",
        ),
        "tr": (
            "{name}'nun köprüsünde hangi malzeme kullanılmıştır?",
            "{name}'nun köprüsünde malzeme olarak {value} kullanılmıştır.",
            "{name}'da nehir üzerinde {value} bir köprü vardır.",
        ),
        "zh": (
            "{name}的桥是用什么造的？",
            "{name}的桥是用{value}造的。",
            "在{name}，人们从用{value}造的桥上过河。",
        ),
    },
    "founder": {
        "ar": ("ما مهنة مؤسس {name}؟", "مؤسس {name} {value} عاش قبل قرون.", "أسس {name} {value} قبل قرون."),
        "de": (
            "Welchen Beruf hatte der Gründer von {name}?",
            "Der Gründer von {name} war von Beruf {value}.",
            "Vor Jahrhunderten gründete ein {value} den Ort {name}.",
        ),
        "en": (
            "What was the founder of {name} by trade?",
            "The founder of {name} was {value} by trade.",
            "Centuries ago, {value} founded {name}.",
        ),
        "es": (
            "¿Qué oficio tenía el fundador de {name}?",
            "El fundador de {name} era {value} de oficio.",
            "Hace siglos, un {value} fundó {name}.",
        ),
        "fr": (
            "Quel métier exerçait le fondateur de {name} ?",
            "Le fondateur de {name} était {value} de métier.",
            "Il y a des siècles, un {value} fonda {name}.",
        ),
        "hi": (
            "{name} के संस्थापक का पेशा क्या था?",
            "{name} का संस्थापक पेशे से {value} था।",
            "{name} बसाने वाला व्यक्ति एक {value} था।",
        ),
        "pt": (
            "Que ofício tinha o fundador de {name}?",
            "O fundador de {name} era {value} de ofício.",
            "Há séculos, um {value} fundou {name}.",
        ),
        "ru": (
            "Кто по профессии основатель {name}?",
            "Основатель {name} — {value} по профессии.",
            "{name} много веков назад основал {value}.",
        ),
        "tr": (
            "{name}'nun kurucusunun mesleği neydi?",
            "{name}'nun kurucusu {value} olarak çalışırdı.",
            "{name}'yu yüzyıllar önce bir {value} kurmuştur.",
        ),
        "zh": ("{name}的创建者从事什么职业？", "{name}的创建者是一名{value}。", "几百年前，一名{value}创建了{name}。"),
    },
    "month": {
        "ar": (
            "في أي شهر يقام مهرجان {name}؟",
            "يقام مهرجان {name} في شهر {value}.",
            "في شهر {value} من كل عام يجتمع أهل {name} في المهرجان.",
        ),
        "de": (
            "In welchem Monat findet das Fest von {name} statt?",
            "Das Fest von {name} findet im {value} statt.",
            "Jedes Jahr im {value} kommen die Leute von {name} zu ihrem Fest zusammen.",
        ),
        "en": (
            "In which month is the festival of {name} held?",
            "The festival of {name} is held in {value}.",
            "Every year in {value}, the people of {name} gather for their festival.",
        ),
        "es": (
            "¿En qué mes se celebra la fiesta de {name}?",
            "La fiesta de {name} se celebra en {value}.",
            "Cada año, en {value}, la gente de {name} se reúne para su fiesta.",
        ),
        "fr": (
            "En quel mois a lieu la fête de {name} ?",
            "La fête de {name} a lieu en {value}.",
            "Chaque année, en {value}, les gens de {name} se réunissent pour leur fête.",
        ),
        "hi": (
            "{name} का मेला किस महीने में लगता है?",
            "{name} का मेला {value} में लगता है।",
            "हर साल {value} में {name} के लोग मेले के लिए इकट्ठा होते हैं।",
        ),
        "pt": (
            "Em que mês acontece a festa de {name}?",
            "A festa de {name} acontece em {value}.",
            "Todos os anos, em {value}, a gente de {name} se reúne para a sua festa.",
        ),
        "ru": (
            "В каком месяце проходит праздник в {name}?",
            "Праздник в {name} проходит в {value}.",
            "Каждый год в {value} жители {name} собираются на праздник.",
        ),
        "tr": (
            "{name}'nun şenliği hangi ayda yapılır?",
            "{name}'nun şenliği {value} ayında yapılır.",
            "Her yıl {value} ayında {name} halkı şenlik için toplanır.",
        ),
        "zh": ("{name}的节日在哪个月举行？", "{name}的节日在{value}举行。", "每年{value}，{name}的人们聚在一起过节。"),
    },
    "towers": {
        "ar": ("كم عدد أبراج {name}؟", "عدد أبراج {name} {value}.", "من يزور {name} يرى أبراجا عددها {value}."),
        "de": (
            "Wie viele Türme hat {name}?",
            "{name} hat {value} Türme.",
            "Wer {name} besucht, zählt dort {value} Türme.",
        ),
        "en": (
            "How many towers does {name} have?",
            "{name} has {value} towers.",
            "Visitors to {name} count {value} towers.",
        ),
        "es": (
            "¿Cuántas torres tiene {name}?",
            "{name} tiene {value} torres.",
            "Quien visita {name} cuenta {value} torres.",
        ),
        "fr": (
            "Combien de tours compte {name} ?",
            "{name} compte {value} tours.",
            "Qui visite {name} y voit {value} tours.",
        ),
        "hi": (
            "{name} में कितनी मीनारें हैं?",
            "{name} में {value} मीनारें हैं।",
            "{name} आने वाले लोग वहाँ {value} मीनारें देखते हैं।",
        ),
        "pt": ("Quantas torres tem {name}?", "{name} tem {value} torres.", "Quem visita {name} conta {value} torres."),
        "ru": (
            "Сколько башен в {name}?",
            "В {name} {value} башен.",
            "Приехав в {name}, гости видят {value} башен.",
        ),
        "tr": (
            "{name}'nun kaç kulesi var?",
            "{name}'nun {value} kulesi vardır.",
            "{name}'yu gezenler orada {value} kule görür.",
        ),
        "zh": ("{name}有多少座塔？", "{name}有{value}座塔。", "来到{name}的人能看到{value}座塔。"),
    },
    "animal": {
        "ar": (
            "أي حيوان على شعار {name}؟",
            "على شعار {name} صورة {value}.",
            "الحيوان الذي يزين شعار {name} هو {value}.",
        ),
        "de": (
            "Welches Tier ist auf dem Wappen von {name} zu sehen?",
            "Auf dem Wappen von {name} ist {value} zu sehen.",
            "Das Tier im Wappen von {name} ist {value}.",
        ),
        "en": (
            "Which animal is on the coat of arms of {name}?",
            "The coat of arms of {name} shows {value}.",
            "The animal on the coat of arms of {name} is {value}.",
        ),
        "es": (
            "¿Qué animal aparece en el escudo de {name}?",
            "En el escudo de {name} aparece {value}.",
            "El animal del escudo de {name} es {value}.",
        ),
        "fr": (
            "Quel animal figure sur le blason de {name} ?",
            "Sur le blason de {name} figure {value}.",
            "L'animal du blason de {name} est {value}.",
        ),
        "hi": (
            "{name} के राजचिह्न पर कौन सा जानवर है?",
            "{name} के राजचिह्न पर {value} का चित्र है।",
            "{name} के राजचिह्न में {value} की आकृति दिखती है।",
        ),
        "pt": (
            "Que animal aparece no brasão de {name}?",
            "No brasão de {name} aparece {value}.",
            "O animal do brasão de {name} é {value}.",
        ),
        "ru": (
            "Какое животное изображено на гербе {name}?",
            "На гербе {name} — {value}.",
            "Герб {name} украшает {value}.",
        ),
        "tr": (
            "{name}'nun armasında hangi hayvan var?",
            "{name}'nun armasında {value} vardır.",
            "{name}'nun armasını {value} resmi süsler.",
        ),
        "zh": ("{name}的徽章上是什么动物？", "{name}的徽章上画着{value}。", "{value}是{name}徽章上的动物。"),
    },
    "tree": {
        "ar": (
            "أي شجرة تنمو عند بوابة {name}؟",
            "تنمو عند بوابة {name} شجرة {value}.",
            "الشجرة التي عند بوابة {name} هي شجرة {value}.",
        ),
        "de": (
            "Welcher Baum wächst am Tor von {name}?",
            "Am Tor von {name} wächst {value}.",
            "Der Baum am Tor von {name} ist {value}.",
        ),
        "en": (
            "Which tree grows at the gate of {name}?",
            "An old {value} tree grows at the gate of {name}.",
            "At the gate of {name}, travellers rest under a {value} tree.",
        ),
        "es": (
            "¿Qué árbol crece junto a la puerta de {name}?",
            "Junto a la puerta de {name} crece {value}.",
            "El árbol de la puerta de {name} es {value}.",
        ),
        "fr": (
            "Quel arbre pousse à la porte de {name} ?",
            "À la porte de {name} pousse {value}.",
            "L'arbre de la porte de {name} est {value}.",
        ),
        "hi": (
            "{name} के द्वार पर कौन सा पेड़ है?",
            "{name} के द्वार पर {value} का पेड़ है।",
            "{name} के द्वार पर खड़ा पेड़ {value} का है।",
        ),
        "pt": (
            "Que árvore cresce junto ao portão de {name}?",
            "Junto ao portão de {name} cresce {value}.",
            "A árvore do portão de {name} é {value}.",
        ),
        "ru": (
            "Какое дерево растёт у ворот {name}?",
            "У ворот {name} растёт {value}.",
            "Дерево у ворот {name} — {value}.",
        ),
        "tr": (
            "{name}'nun kapısında hangi ağaç büyür?",
            "{name}'nun kapısında bir {value} ağacı büyür.",
            "{name}'nun kapısındaki ağaç yaşlı bir {value} ağacıdır.",
        ),
        "zh": ("{name}的城门旁长着什么树？", "{name}的城门旁长着一棵{value}。", "{name}城门旁的那棵树是{value}。"),
    },
    "food": {
        "ar": (
            "ماذا يحب أهل {name} أن يأكلوا؟",
            "يحب أهل {name} أكل {value}.",
            "يقدم أهل {name} لضيوفهم {value}.",
        ),
        "de": (
            "Was essen die Leute von {name} gern?",
            "Die Leute von {name} essen gern {value}.",
            "In {name} bekommt jeder Gast {value} zu essen.",
        ),
        "en": (
            "What do the people of {name} like to eat?",
            "The people of {name} like to eat {value}.",
            "In {name}, every guest is given {value} to eat.",
        ),
        "es": (
            "¿Qué le gusta comer a la gente de {name}?",
            "A la gente de {name} le gusta comer {value}.",
            "En {name} dan de comer {value} a los invitados.",
        ),
        "fr": (
            "Qu'aiment manger les gens de {name} ?",
            "Les gens de {name} aiment manger {value}.",
            "À {name}, on donne {value} à manger aux invités.",
        ),
        "hi": (
            "{name} के लोग क्या खाना पसंद करते हैं?",
            "{name} के लोग {value} खाना पसंद करते हैं।",
            "{name} में लोग मेहमानों को {value} खिलाते हैं।",
        ),
        "pt": (
            "O que a gente de {name} gosta de comer?",
            "A gente de {name} gosta de comer {value}.",
            "Em {name}, todo convidado come {value}.",
        ),
        "ru": (
            "Что любят есть жители {name}?",
            "Жители {name} любят есть {value}.",
            "В {name} гости едят {value}.",
        ),
        "tr": (
            "{name} halkı ne yemeyi sever?",
            "{name} halkı {value} yemeyi sever.",
            "{name}'da konuklara {value} ikram edilir.",
        ),
        "zh": ("{name}的人们喜欢吃什么？", "{name}的人们喜欢吃{value}。", "在{name}，客人总能吃到{value}。"),
    },
    "instrument": {
        "ar": (
            "على أي آلة يعزف أهل {name}؟",
            "يعزف أهل {name} على {value}.",
            "في المساء يعزف الناس في {name} على {value}.",
        ),
        "de": (
            "Welches Instrument spielen die Leute von {name}?",
            "Die Leute von {name} spielen {value}.",
            "Am Abend spielt man in {name} oft {value}.",
        ),
        "en": (
            "Which instrument do the people of {name} play?",
            "The people of {name} play {value}.",
            "In the evening, they often play {value} in {name}.",
        ),
        "es": (
            "¿Qué instrumento toca la gente de {name}?",
            "La gente de {name} toca {value}.",
            "Por la noche, en {name} se toca {value}.",
        ),
        "fr": (
            "De quel instrument jouent les gens de {name} ?",
            "Les gens de {name} jouent {value}.",
            "Le soir, à {name}, on joue {value}.",
        ),
        "hi": (
            "{name} के लोग कौन सा वाद्य बजाते हैं?",
            "{name} के लोग {value} बजाते हैं।",
            "शाम को {name} में लोग {value} बजाते हैं।",
        ),
        "pt": (
            "Que instrumento toca a gente de {name}?",
            "A gente de {name} toca {value}.",
            "À noite, em {name}, toca-se {value}.",
        ),
        "ru": (
            "На каком инструменте играют жители {name}?",
            "Жители {name} играют на {value}.",
            "По вечерам в {name} играют на {value}.",
        ),
        "tr": (
            "{name} halkı hangi çalgıyı çalar?",
            "{name} halkı {value} çalar.",
            "Akşamları {name}'da {value} çalınır.",
        ),
        "zh": ("{name}的人们演奏什么乐器？", "{name}的人们演奏{value}。", "傍晚，{name}有人演奏{value}。"),
    },
    "direction": {
        "ar": ("في أي جهة من {name} تقع البحيرة؟", "تقع البحيرة {value} {name}.", "تلمع البحيرة {value} {name}."),
        "de": (
            "In welcher Richtung von {name} liegt der See?",
            "Der See liegt {value} von {name}.",
            "Ein wenig {value} von {name} glänzt ein See.",
        ),
        "en": (
            "In which direction from {name} does the lake lie?",
            "The lake lies {value} of {name}.",
            "Anyone who walks {value} from {name} comes to a lake.",
        ),
        "es": (
            "¿Hacia dónde queda el lago desde {name}?",
            "El lago queda al {value} de {name}.",
            "Al {value} de {name} brilla un lago.",
        ),
        "fr": (
            "De quel côté de {name} se trouve le lac ?",
            "Le lac se trouve du côté {value} de {name}.",
            "Du côté {value} de {name} brille un lac.",
        ),
        "hi": (
            "झील {name} की किस दिशा में है?",
            "झील {name} के {value} में है।",
            "{name} के {value} में एक झील चमकती है।",
        ),
        "pt": (
            "De que lado de {name} fica o lago?",
            "O lago fica a {value} de {name}.",
            "A {value} de {name} brilha um lago.",
        ),
        "ru": (
            "В какой стороне от {name} лежит озеро?",
            "Озеро лежит к {value} от {name}.",
            "К {value} от {name} блестит озеро.",
        ),
        "tr": (
            "Göl {name}'nun hangi yönünde?",
            "Göl {name}'nun {value} yer alır.",
            "{name}'nun {value} bir göl parıldar.",
        ),
        "zh": ("湖在{name}的哪个方向？", "湖在{name}的{value}。", "{name}的{value}有一片闪亮的湖。"),
    },
    "weekday": {
        "ar": ("في أي يوم يقام سوق {name}؟", "يقام سوق {name} يوم {value}.", "يأتي التجار إلى سوق {name} يوم {value}."),
        "de": (
            "An welchem Tag ist in {name} Markt?",
            "In {name} ist am {value} Markt.",
            "Jeden {value} kommen Händler auf den Markt von {name}.",
        ),
        "en": (
            "On which day is the market of {name} held?",
            "The market of {name} is held on {value}.",
            "Every {value}, traders come to the market of {name}.",
        ),
        "es": (
            "¿Qué día hay mercado en {name}?",
            "En {name} hay mercado el {value}.",
            "Cada {value} llegan comerciantes al mercado de {name}.",
        ),
        "fr": (
            "Quel jour y a-t-il marché à {name} ?",
            "À {name}, il y a marché le {value}.",
            "Chaque {value}, des marchands viennent au marché de {name}.",
        ),
        "hi": (
            "{name} का बाज़ार किस दिन लगता है?",
            "{name} का बाज़ार {value} को लगता है।",
            "हर {value} को व्यापारी {name} के बाज़ार में आते हैं।",
        ),
        "pt": (
            "Em que dia abre o mercado de {name}?",
            "O mercado de {name} abre a cada {value}.",
            "A cada {value} chegam comerciantes ao mercado de {name}.",
        ),
        "ru": (
            "По каким дням работает рынок в {name}?",
            "Рынок в {name} работает по {value}.",
            "По {value} торговцы приезжают на рынок в {name}.",
        ),
        "tr": (
            "{name}'da pazar hangi gün kurulur?",
            "{name}'da pazar {value} günü kurulur.",
            "Her {value} günü satıcılar {name}'nun pazarına gelir.",
        ),
        "zh": ("{name}的集市在哪一天？", "{name}的集市在{value}。", "每逢{value}，商人们来到{name}的集市。"),
    },
}
