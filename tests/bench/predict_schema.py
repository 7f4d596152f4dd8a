"""What a request may hold, for contestants that check it with pydantic."""

from pydantic import BaseModel, Field


class Flight(BaseModel):
    hour: float = Field(ge=0, le=23)
    weekday: float = Field(ge=0, le=6)
    distance: float = Field(ge=0, le=10_000)
    carrier: str
    origin: str
    dest: str
    temp: float | None = Field(ge=-60, le=130)
    dewp: float | None = Field(ge=-60, le=130)
    humid: float | None = Field(ge=0, le=100)
    wind_speed: float | None = Field(ge=0, le=150)
    precip: float | None = Field(ge=0, le=20)
    pressure: float | None = Field(ge=850, le=1100)
    visib: float | None = Field(ge=0, le=100)


class Asked(BaseModel):
    instances: list[Flight]


class Prediction(BaseModel):
    value: str
    probability: float


class Answer(BaseModel):
    model: str
    version: int
    predictions: list[Prediction]
