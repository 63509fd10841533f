package zencode

import "math"

// Package time knows the host's clock, and is not for guests (floors_test.go).

// A struct tm is nine numbers of 32 bits, and the offset of the zone: seconds,
// minutes, hours, day of the month, month from 0, year from 1900, day of the week
// from Sunday, day of the year from 0, daylight saving.
const (
	tmSec = iota
	tmMin
	tmHour
	tmDay
	tmMonth
	tmYear
	tmWeekday
	tmYearday
	tmDaylight
	tmOffset
	tmWords
)

const (
	secondsOfDay = 24 * 60 * 60
	// timeMax is the last second, and minus it the first, of JavaScript's dates.
	timeMax = 8_640_000_000_000
)

// gmtime is _gmtime_js(time, tm), and _localtime_js in UTC.
func (r *run) gmtime(stack []uint64) error {
	b, ok := r.instance.Bytes(uint32(stack[1]), 4*tmWords)
	if !ok {
		return errBounds
	}
	seconds := int64(stack[0])
	if seconds > timeMax || seconds < -timeMax {
		clear(b) // as what JavaScript has for no date at all
		return nil
	}
	putTM(b, seconds)
	return nil
}

// mktime is _mktime_js(tm): seconds since 1970, and tm made what it stands for; -1
// if that cannot be.
func (r *run) mktime(stack []uint64) error {
	b, ok := r.instance.Bytes(uint32(stack[0]), 4*tmWords)
	if !ok {
		return errBounds
	}
	field := func(n int) int64 { return int64(int32(le.Uint32(b[4*n:]))) }
	month := field(tmMonth)
	years := floor(month, 12)
	seconds := (daysBefore(1900+field(tmYear)+years, month-12*years)+field(tmDay)-1)*secondsOfDay +
		field(tmHour)*3600 + field(tmMin)*60 + field(tmSec)
	if seconds > timeMax || seconds < -timeMax {
		stack[0] = math.MaxUint64 // -1
		return nil
	}
	putTM(b, seconds)
	stack[0] = uint64(seconds)
	return nil
}

func putTM(b []byte, seconds int64) {
	days := floor(seconds, secondsOfDay)
	rest := seconds - days*secondsOfDay
	year, month, day := date(days)
	for n, v := range [tmWords]int64{
		tmSec: rest % 60, tmMin: rest / 60 % 60, tmHour: rest / 3600,
		tmDay: day + 1, tmMonth: month, tmYear: year - 1900,
		tmWeekday: days + 4 - 7*floor(days+4, 7), tmYearday: days - daysBefore(year, 0),
	} {
		le.PutUint32(b[4*n:], uint32(int32(v)))
	}
}

// floor is a/b, rounded down.
func floor(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// daysBefore is how many days are from 1970 to the first of a month, from 0 to 11, in
// the Gregorian calendar.
func daysBefore(year, month int64) int64 {
	if month < 2 {
		year--
	}
	// The year begins in March, so that the odd day is its last.
	era := floor(year, 400)
	yearOfEra := year - 400*era
	dayOfYear := (153*((month+10)%12) + 2) / 5
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}

// date is a day since 1970 as year, month and day of the month, both from 0.
func date(days int64) (year, month, day int64) {
	days += 719468
	era := floor(days, 146097)
	dayOfEra := days - era*146097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*dayOfYear + 2) / 153
	year, month, day = yearOfEra+400*era, (fromMarch+2)%12, dayOfYear-(153*fromMarch+2)/5
	if month < 2 {
		year++
	}
	return year, month, day
}
