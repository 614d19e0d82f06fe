"""Countries' provinces and cities, in English, as the address form of the shop names them."""

from __future__ import annotations

from functools import cache
from typing import Any

from .asked import Asked
from .drawing import as_json
from .products import CLOSED

# All states and some of their cities, or some provinces of a country; no more than a sandbox needs.
_PLACES = """
US|Alabama:Birmingham,Mobile;Alaska:Anchorage;Arizona:Phoenix,Tucson;Arkansas:Little Rock;\
California:Los Angeles,San Francisco,San Diego;Colorado:Denver;Connecticut:Hartford;\
Delaware:Wilmington;District of Columbia:Washington;Florida:Miami,Orlando,Tampa;Georgia:Atlanta;\
Hawaii:Honolulu;Idaho:Boise;Illinois:Chicago,Springfield;Indiana:Indianapolis;Iowa:Des Moines;\
Kansas:Wichita;Kentucky:Louisville;Louisiana:New Orleans;Maine:Portland;Maryland:Baltimore;\
Massachusetts:Boston;Michigan:Detroit;Minnesota:Minneapolis;Mississippi:Jackson;\
Missouri:Kansas City,Saint Louis;Montana:Billings;Nebraska:Omaha;Nevada:Las Vegas;\
New Hampshire:Manchester;New Jersey:Newark,Vineland;New Mexico:Albuquerque;\
New York:New York,Buffalo;North Carolina:Charlotte;North Dakota:Fargo;Ohio:Cleveland,Columbus;\
Oklahoma:Tulsa;Oregon:Portland;Pennsylvania:Philadelphia,Pittsburgh;Rhode Island:Providence;\
South Carolina:Charleston;South Dakota:Sioux Falls;Tennessee:Memphis,Nashville;\
Texas:Austin,Dallas,Houston;Utah:Salt Lake City;Vermont:Burlington;Virginia:Richmond;\
Washington:Seattle;West Virginia:Huntington;Wisconsin:Milwaukee;Wyoming:Cheyenne
BR|Acre:Rio Branco;Alagoas:Maceió;Amapá:Macapá;Amazonas:Manaus;Bahia:Salvador;Ceará:Fortaleza;\
Distrito Federal:Brasília;Espírito Santo:Vitória;Goiás:Goiânia;Maranhão:São Luís;\
Mato Grosso:Cuiabá;Mato Grosso do Sul:Campo Grande;Minas Gerais:Belo Horizonte,Uberlândia;\
Pará:Belém;Paraíba:João Pessoa;Paraná:Curitiba,Londrina;Pernambuco:Recife;Piauí:Teresina;\
Rio de Janeiro:Rio de Janeiro,Niterói;Rio Grande do Norte:Natal;Rio Grande do Sul:Porto Alegre;\
Rondônia:Porto Velho;Roraima:Boa Vista;Santa Catarina:Florianópolis;São Paulo:São Paulo,Campinas;\
Sergipe:Aracaju;Tocantins:Palmas
FR|Auvergne-Rhone-Alpes:Lyon,Grenoble;Bretagne:Rennes,Brest;Ile-de-France:Paris,Versailles;\
Nouvelle-Aquitaine:Bordeaux;Occitanie:Toulouse;Provence-Alpes-Cote d'Azur:Marseille,Nice
DE|Bayern:Muenchen,Nuernberg;Berlin:Berlin;Hamburg:Hamburg;Hessen:Frankfurt;Sachsen:Leipzig
ES|Barcelona:Barcelona;Madrid:Madrid;Sevilla:Sevilla;Valencia:Valencia
GB|England:London,Manchester;Scotland:Edinburgh,Glasgow;Wales:Cardiff;Northern Ireland:Belfast
PL|Malopolskie:Krakow;Mazowieckie:Warszawa;Pomorskie:Gdansk
MX|Ciudad de Mexico:Coyoacan;Jalisco:Guadalajara;Nuevo Leon:Monterrey
KR|Seoul:Gangnam-gu,Jongno-gu;Busan:Haeundae-gu
JP|Tokyo To:Shinjuku Ku,Minato Ku;Osaka Fu:Osaka Shi
SA|Riyadh:Riyadh;Makkah:Jeddah
NG|Lagos State:Ikeja,Lagos
""".strip().splitlines()


@cache
def places() -> dict[str, dict[str, list[str]]]:
    """Country code to provinces to cities."""
    return {
        country: {
            province: cities.split(",")
            for province, _, cities in (part.partition(":") for part in rest.split(";"))
        }
        for country, _, rest in (line.partition("|") for line in _PLACES)
    }


@cache
def _children(country: str) -> str:
    provinces = [{
        "name": province, "type": "PROVINCE", "hasChildren": True,
        "children": [{"name": city, "type": "CITY", "hasChildren": False} for city in cities],
    } for province, cities in places().get(country, {}).items()]  # fmt: skip
    return as_json(provinces)


def address_get(asked: Asked) -> dict[str, Any]:
    """A country's provinces and their cities as JSON text, "[]" where none are known."""
    country = asked.country("countryCode")
    if len(country) != 2 or not country.isascii() or not country.isalpha() or country in CLOSED:
        return {"result": {"ret": False, "code": "400", "msg": f"countryCode {country} is unknown"}}
    children = _children(country) if country in places() else "[]"
    data = {"country": country, "type": "country", "children": children}
    return {"result": {"ret": True, "code": "200", "msg": "", "data": data}}
