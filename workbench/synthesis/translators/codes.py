"""How translation models name the languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

TABLE = """
ace ace_Latn - ace
acm acm_Arab - acm
acq acq_Arab - acq
aeb aeb_Arab - aeb
af afr_Latn af afr
ak aka_Latn - aka
am amh_Ethi am amh
apc apc_Arab - apc
ar arb_Arab ar ara,arb
ars ars_Arab - ars
ary ary_Arab - ary
arz arz_Arab - arz
as asm_Beng - asm
ast ast_Latn ast ast
awa awa_Deva - awa
ay ayr_Latn - aym,ayr
az azj_Latn az aze,azj
azb azb_Arab - azb
ba bak_Cyrl ba bak
ban ban_Latn - ban
be bel_Cyrl be bel
bem bem_Latn - bem
bg bul_Cyrl bg bul
bho bho_Deva - bho
bjn bjn_Latn - bjn
bm bam_Latn - bam
bn ben_Beng bn ben
bo bod_Tibt - bod
br - br bre
bs bos_Latn bs bos
bug bug_Latn - bug
ca cat_Latn ca cat
ceb ceb_Latn ceb ceb
cjk cjk_Latn - cjk
ckb ckb_Arab - ckb
crh crh_Latn - crh
cs ces_Latn cs ces
cy cym_Latn cy cym
da dan_Latn da dan
de deu_Latn de deu
dik dik_Latn - dik
dyu dyu_Latn - dyu
dz dzo_Tibt - dzo
ee ewe_Latn - ewe
el ell_Grek el ell
en eng_Latn en eng
eo epo_Latn - epo
es spa_Latn es spa
et est_Latn et est
eu eus_Latn - eus
fa pes_Arab fa fas,pes
ff fuv_Latn ff ful,fuv
fi fin_Latn fi fin
fj fij_Latn - fij
fo fao_Latn - fao
fon fon_Latn - fon
fr fra_Latn fr fra
fur fur_Latn - fur
fy - fy fry
ga gle_Latn ga gle
gd gla_Latn gd gla
gl glg_Latn gl glg
gn grn_Latn - grn
gu guj_Gujr gu guj
ha hau_Latn ha hau
he heb_Hebr he heb
hi hin_Deva hi hin
hne hne_Deva - hne
hr hrv_Latn hr hrv
ht hat_Latn ht hat
hu hun_Latn hu hun
hy hye_Armn hy hye
id ind_Latn id ind
ig ibo_Latn ig ibo
ilo ilo_Latn ilo ilo
is isl_Latn is isl
it ita_Latn it ita
ja jpn_Jpan ja jpn
jv jav_Latn jv jav
ka kat_Geor ka kat
kab kab_Latn - kab
kac kac_Latn - kac
kam kam_Latn - kam
kbp kbp_Latn - kbp
kea kea_Latn - kea
kg kon_Latn - kon
ki kik_Latn - kik
kk kaz_Cyrl kk kaz
km khm_Khmr km khm
kmb kmb_Latn - kmb
kn kan_Knda kn kan
ko kor_Hang ko kor
kr knc_Latn - kau,knc
ks kas_Arab - kas
ku kmr_Latn - kur,kmr
ky kir_Cyrl - kir
lb ltz_Latn lb ltz
lg lug_Latn lg lug
li lim_Latn - lim
lij lij_Latn - lij
lmo lmo_Latn - lmo
ln lin_Latn ln lin
lo lao_Laoo lo lao
lt lit_Latn lt lit
ltg ltg_Latn - ltg
lua lua_Latn - lua
luo luo_Latn - luo
lus lus_Latn - lus
lv lvs_Latn lv lav,lvs
mag mag_Deva - mag
mai mai_Deva - mai
mg plt_Latn mg mlg,plt
mi mri_Latn - mri
min min_Latn - min
mk mkd_Cyrl mk mkd
ml mal_Mlym ml mal
mn khk_Cyrl mn mon,khk
mni mni_Beng - mni
mos mos_Latn - mos
mr mar_Deva mr mar
ms zsm_Latn ms msa,zsm
mt mlt_Latn - mlt
my mya_Mymr my mya
nb nob_Latn no nob,nor
ne npi_Deva ne nep,npi
nl nld_Latn nl nld
nn nno_Latn - nno
no nob_Latn no nob,nor
nso nso_Latn ns nso
nus nus_Latn - nus
ny nya_Latn - nya
oc oci_Latn oc oci
om gaz_Latn - orm,gaz
or ory_Orya or ori,ory
pa pan_Guru pa pan
pag pag_Latn - pag
pap pap_Latn - pap
pl pol_Latn pl pol
prs prs_Arab - prs
ps pbt_Arab ps pus,pbt
pt por_Latn pt por
qu quy_Latn - que,quy
rn run_Latn - run
ro ron_Latn ro ron
ru rus_Cyrl ru rus
rw kin_Latn - kin
sa san_Deva - san
sat sat_Beng - sat
sc srd_Latn - srd
scn scn_Latn - scn
sd snd_Arab sd snd
sg sag_Latn - sag
shn shn_Mymr - shn
si sin_Sinh si sin
sk slk_Latn sk slk
sl slv_Latn sl slv
sm smo_Latn - smo
sn sna_Latn - sna
so som_Latn so som
sq als_Latn sq sqi,als
sr srp_Cyrl sr srp
ss ssw_Latn ss ssw
st sot_Latn - sot
su sun_Latn su sun
sv swe_Latn sv swe
sw swh_Latn sw swa,swh
szl szl_Latn - szl
ta tam_Taml ta tam
taq taq_Latn - taq
te tel_Telu - tel
tg tgk_Cyrl - tgk
th tha_Thai th tha
ti tir_Ethi - tir
tk tuk_Latn - tuk
tl tgl_Latn tl tgl
tn tsn_Latn tn tsn
tpi tpi_Latn - tpi
tr tur_Latn tr tur
ts tso_Latn - tso
tt tat_Cyrl - tat
tum tum_Latn - tum
tw twi_Latn - twi
tzm tzm_Tfng - tzm
ug uig_Arab - uig
uk ukr_Cyrl uk ukr
umb umb_Latn - umb
ur urd_Arab ur urd
uz uzn_Latn uz uzb,uzn
vec vec_Latn - vec
vi vie_Latn vi vie
war war_Latn - war
wo wol_Latn wo wol
xh xho_Latn xh xho
yi ydd_Hebr yi yid,ydd
yo yor_Latn yo yor
yue yue_Hant - yue
zh zho_Hans zh cmn_Hans,cmn,zho
zu zul_Latn zu zul
"""
"""One language a line: ISO 639-1 (639-3 where there are no two letters), NLLB-200's FLORES code, M2M100's code, and
what a Marian checkpoint of several target languages may call it between `>>` and `<<`, the likely one first. Of a
language with several scripts or standards the table has the most written one; `-` = the family does not have it."""


@dataclass(frozen=True)
class Codes:
    """One language in each family of models."""

    nllb: str | None
    m2m100: str | None
    marian: tuple[str, ...]
    """Without the marks around them; ISO 639-1, which older checkpoints use, comes last."""


@cache
def codes() -> Mapping[str, Codes]:
    """By ISO 639-1."""
    table = {}
    for line in TABLE.split("\n")[1:-1]:
        language, nllb, m2m100, marian = line.split()
        table[language] = Codes(none(nllb), none(m2m100), (*marian.split(","), language))
    return table


def none(code: str) -> str | None:
    return None if code == "-" else code


@cache
def nllb_codes() -> Mapping[str, str]:
    """ISO 639-1 -> FLORES code."""
    return {language: named.nllb for language, named in codes().items() if named.nllb}


@cache
def m2m100_codes() -> Mapping[str, str]:
    """ISO 639-1 -> M2M100's code."""
    return {language: named.m2m100 for language, named in codes().items() if named.m2m100}


def marian_token(language: str, tokens: Mapping[str, int]) -> str | None:
    """The `>>id<<` of a language among the tokens of a checkpoint, in one of its scripts or countries if need be."""
    for name in codes()[language].marian if language in codes() else (language,):
        if f">>{name}<<" in tokens:
            return f">>{name}<<"
        narrower = sorted(token for token in tokens if token.startswith(f">>{name}_"))
        if narrower:
            return narrower[0]
    return None
