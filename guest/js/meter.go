package js

// The meter is what a turn's code may see of its fuel: an index, which begins at 0
// and rises with every Config.MeterUnit of fuel, and a limit at which the turn
// ends, 0 being none but the turn's own. Code of the start compartment may set both, so that what it does
// in between costs nothing of it:
//
//	const limit = currentMeterLimit(), before = resetMeter(0, 0);
//	… // all of this is free, to the unit
//	resetMeter(limit, before);
//
// Free of the meter it is, not free of the turn's limit, which nothing raises.
//
// The limit is exact: what is beyond it is charged when it is set, and given back
// when it is set again.
type computeMeter struct {
	limit uint64
	base  int64  // what the index, in fuel, is less than the fuel that is used
	aside uint64 // charged for nothing, so that the turn ends at the limit
}

// used is the fuel that the turn has used.
func (w *Worker) used() uint64 { return w.instance.FuelUsed() - w.meter.aside }

// metered is the fuel that the meter has counted.
func (w *Worker) metered() uint64 { return uint64(int64(w.used()) - w.meter.base) }

// Meter is the index that the meter shows now, in a turn.
func (w *Worker) Meter() uint64 { return w.metered() / w.config.meterUnit() }

func (w *Worker) setMeter(limit, index uint64) error {
	w.instance.Refund(w.meter.aside)
	unit := w.config.meterUnit()
	w.meter = computeMeter{limit: limit, base: int64(w.instance.FuelUsed()) - int64(index*unit)}
	if limit == 0 {
		return nil
	}
	room := (limit - min(limit, index)) * unit
	if left := w.limits.Fuel - w.instance.FuelUsed(); left > room {
		if err := w.instance.Charge(left - room); err != nil {
			return err
		}
		w.meter.aside = left - room
	}
	return nil
}

func (w *Worker) meterLimit([]box) (box, error) { return w.number(float64(w.meter.limit)) }

func (w *Worker) meterReset(args []box) (box, error) {
	before := w.Meter()
	limit, err := w.toNumber(args[0])
	if err != nil {
		return 0, err
	}
	index, err := w.toNumber(args[1])
	if err != nil {
		return 0, err
	}
	result, err := w.number(float64(before))
	if err != nil {
		return 0, err
	}
	return result, w.setMeter(limit, index)
}
